"""English, for the admin: "Nov 29, 2026, 6:03 AM", as pages write it (accounts/moments.py).

Django's "6:03 a.m." ends a sentence with two full stops.
"""

TIME_FORMAT = "g:i A"
DATE_FORMAT = SHORT_DATE_FORMAT = "M j, Y"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "M j, Y, g:i A"
