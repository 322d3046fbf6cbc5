"""Addresses of the account's security; some take the place of the library's own."""

from allauth.account.views import password_change, password_set
from django.urls import path
from django.views.generic import RedirectView

from accounts.security import views
from accounts.security.fresh_sign_in import needs_fresh_sign_in
from accounts.security.staff_factors import needs_factor_if_there_is_one

urlpatterns = [
    path("account/security/", views.security, name="account_security"),
    path("account/security/sessions/<int:pk>/end/", views.end_one_session, name="end_session"),
    path("account/security/sign-out/", views.sign_out_everywhere, name="sign_out_everywhere"),
    path("account/security/revoke-keys/", views.revoke_all_keys, name="revoke_all_keys"),
    path("account/security/undo/<str:token>/", views.undo_change, name="undo_email_change"),
    # The page above shows the sessions, and ends them one by one.
    path("accounts/sessions/", RedirectView.as_view(pattern_name="account_security"), name="usersessions_list"),
    # The old password may be what a thief has read along.
    path("accounts/password/change/", needs_factor_if_there_is_one(password_change), name="account_change_password"),
    # A first password asks for no old one.
    path("accounts/password/set/", needs_fresh_sign_in(password_set), name="account_set_password"),
]
