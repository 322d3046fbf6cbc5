"""Admin pages of SMS numbers, by subject: where they are to be had, what is added to the price, what was bought."""

from sms.admin import customer, numbers, places, rules

__all__ = ["customer", "numbers", "places", "rules"]
