"""English: "6:03 AM", as Django's "6:03 a.m." ends a sentence with two full stops."""

TIME_FORMAT = "g:i A"
DATETIME_FORMAT = "N j, Y, g:i A"
SHORT_DATETIME_FORMAT = "m/d/Y g:i A"
