"""Which forms allauth shows: its own, reading what is typed as every form of the shop does."""

_FORMS = "accounts.sign_up.forms"
ACCOUNT_FORMS = {
    "login": f"{_FORMS}.LoginForm",
    "signup": "support.documents.sign_up.SignupForm",  # with the terms
    "add_email": f"{_FORMS}.AddEmailForm",
    "change_email": f"{_FORMS}.ChangeEmailForm",
    "change_password": f"{_FORMS}.ChangePasswordForm",
    "reset_password": f"{_FORMS}.ResetPasswordForm",
    "request_login_code": f"{_FORMS}.RequestLoginCodeForm",
    "confirm_login_code": f"{_FORMS}.ConfirmLoginCodeForm",
    "confirm_email_verification_code": f"{_FORMS}.ConfirmEmailCodeForm",
    "confirm_password_reset_code": f"{_FORMS}.ConfirmResetCodeForm",
}
MFA_FORMS = {
    "authenticate": f"{_FORMS}.AuthenticateForm",
    "reauthenticate": f"{_FORMS}.ReauthenticateForm",
    "activate_totp": f"{_FORMS}.ActivateAppForm",
}
