"""Texts of libraries that the shop's own catalogs carry, because the library's Russian is missing or clumsy.

Nothing imports this module: `make messages` reads it, and a text of ours wins over one of a library.
"""

from django.utils.translation import gettext_noop as _

# The admin's theme, django-unfold, has no Russian catalog; these are the texts our pages of it show.
THEME = (
    _("Add row"),
    _("All applications"),
    _("Apply Filters"),
    _("Choose file to upload"),
    _("Dark"),
    _("Expand row"),
    _("False"),
    _("Filters"),
    _("General"),
    _("Go back"),
    _("Light"),
    _("More actions"),
    _("No data"),
    _("No results found"),
    _("Reset filters"),
    _("Return to site"),
    _("Run"),
    _("Search apps and models..."),
    _("Select action to run"),
    _("Select action"),
    _("Select all rows"),
    _("Select record"),
    _("Select value"),
    _("Submit"),
    _("System"),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("Toggle password visibility"),
    _("True"),
    _("Type to search"),
)

# django-allauth: titles that are commands, buttons that are nouns, a missing space.
SIGN_IN = (
    _("Add Email"),
    _("Authenticator secret"),
    _("Forgot your password?"),
    _("Forgotten your password? Enter your email address below, and we'll send you an email allowing you to reset it."),
    _("Generate"),
    _("Please Confirm Your Email Address"),
    _("Request Code"),
    _("Reset My Password"),
    _("Sign Up"),
    _("Successfully signed in as %(name)s."),
    _("Verify Your Email Address"),
    _(
        "We have sent an email to you for verification. Follow the link provided to finalize the signup process. If "
        "you do not see the verification email in your main inbox, check your spam folder. Please contact us if you "
        "do not receive the verification email within a few minutes."
    ),
    _("You can store this secret and use it to reinstall your authenticator app at a later time."),
)
