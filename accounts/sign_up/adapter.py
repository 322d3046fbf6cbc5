"""What the shop adds to allauth's sign-in."""

from types import SimpleNamespace
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.internal.httpkit import HTTP_USER_AGENT_MAX_LENGTH
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy

from accounts.access import address_of
from accounts.addresses import network_of, parsed_address
from accounts.models import User
from accounts.operations import remember_language
from accounts.security.blocking import open_block_of
from accounts.security.devices import device_in
from accounts.security.email_changes import is_needed_for_undoing, undo_url
from accounts.security.notices import addresses_to_tell, open_email_changes
from accounts.security.sessions import end_oldest_sessions
from accounts.security.signed_in import begin_session
from accounts.security.staff_factors import has_second_factor
from accounts.security.wrong_tries import (
    TooManyWrongTries,
    Try,
    begin_sign_in,
    forget_wrong_sign_ins,
    remember_network,
)
from accounts.sign_up.referrals import referrer_in
from accounts.sign_up.same_work import ask_for_account
from accounts.sign_up.site_urls import on_this_site
from preferences.doors import SIGN_UPS
from preferences.face import STORE_NAME

LINKS: tuple[str, ...] = ("signup_url", "password_reset_url")  # those that no hook of their own builds
EMAIL_CHANGED = "account/email/email_changed"
BY_PASSWORD = "reauthenticate"  # noqa: S105 - the library's name of that way to confirm who one is


class AccountAdapter(DefaultAccountAdapter):
    """Keeps the language that whoever signs in reads, and by whose link whoever signs up has come.

    Where the owner has closed sign-ups, nobody signs up. Wrong passwords are counted by the shop's own rules
    (`accounts/security/wrong_tries.py`); links in mails are built from SITE_URL alone, whatever host the request names.
    """

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy(
            "The email address or the password isn't right, or the address hasn't been confirmed yet. In that case we "
            "have just sent you a link."
        ),
    }
    _try: Try | None = None

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return not SIGN_UPS.is_closed

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        if SIGN_UPS.is_closed:  # since the form was let in
            raise PermissionDenied(SIGN_UPS.message)
        user.referred_by = referrer_in(request)
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the caller's address in its plain form: cut to a /64, all of ::ffff:0:0/96 would be one caller."""
        return str(parsed_address(super().get_client_ip(request)))

    def login(self, request: HttpRequest, user: User) -> None:
        end_oldest_sessions(user)
        super().login(request, user)
        begin_session(request)
        remember_network(user, network_of(address_of(request)))
        remember_language(user, get_language() or "")

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Say so to whoever is blocked, and why if staff has said it to them."""
        block = open_block_of(user)
        if block is None:
            answered: HttpResponse = super().respond_user_inactive(request, user)
            return answered
        return render(request, "accounts/blocked.html", {"told": block.told}, status=403)

    # --- Wrong passwords --------------------------------------------------------------------------------------------
    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            self._try = begin_sign_in(credentials.get("email", ""), network_of(address_of(request)))
        except TooManyWrongTries:
            raise self.validation_error("too_many_login_attempts") from None

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        # For an address that is verified the library asks for one thing less.
        email = credentials.get("email", "").lower()
        if EmailAddress.objects.filter(email=email, verified=True).exists():
            ask_for_account(email)

    def _rollback_login_failed_rl_usage(self) -> None:
        if self._try is not None:
            self._try.was_right()

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        forget_wrong_sign_ins(credentials.get("email", ""))

    # --- Who it is, once more ---------------------------------------------------------------------------------------
    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Let who has a second factor confirm by that alone: a password that was read along is not enough."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if user.is_authenticated and has_second_factor(user):
            return [method for method in methods if method["id"] != BY_PASSWORD]
        return methods

    # --- Addresses --------------------------------------------------------------------------------------------------
    def can_delete_email(self, email_address: EmailAddress) -> bool:
        """Keep an address that was the account's until lately: its owner may have it put back."""
        if email_address.pk and is_needed_for_undoing(email_address, now=timezone.now()):
            return False
        return bool(super().can_delete_email(email_address))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account_security")

    # --- Links ------------------------------------------------------------------------------------------------------
    def get_reset_password_from_key_url(self, key: str) -> str:
        return on_this_site(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return on_this_site(super().get_email_confirmation_url(request, emailconfirmation))

    # --- Mails ------------------------------------------------------------------------------------------------------
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        request = context.get("request") or self.request
        links = {name: on_this_site(context[name]) for name in LINKS if name in context}
        site = SimpleNamespace(name=STORE_NAME.value, domain=settings.SITE_URL)
        whole: dict[str, Any] = {
            **context,
            **links,
            "request": request,
            "email": email,
            "current_site": site,
            "security_url": settings.SITE_URL + reverse("account_security"),
        }
        self.deliver(self.render_mail(template_prefix, email, whole))

    def format_email_subject(self, subject: str) -> str:
        return f"{STORE_NAME.value}: {subject}"

    def deliver(self, message: Any) -> None:
        """Send a mail that is ready; the app of mails has a better way."""
        message.send()

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tell of a change at the account's address and at those that were its until lately.

        The mail to an address that has just been given up has the link that puts it back; no other mail has.
        """
        now = timezone.now()
        told: dict[str, Any] = {"timestamp": now, "ip": self._address(), "user_agent": self._device()}
        told |= context or {}
        addresses = addresses_to_tell(user, now=now)
        if email and email not in addresses:
            addresses.insert(0, email)
        for address in addresses:
            undo = ""
            if template_prefix == EMAIL_CHANGED:
                change = open_email_changes(now).filter(user=user, old_email=address).first()
                undo = undo_url(change) if change and address != told.get("to_email") else ""
            self.send_mail(template_prefix, address, {**told, "undo_url": undo})

    def _address(self) -> str:
        if self.request is None:  # the command line
            return ""
        try:
            return address_of(self.request) or ""
        except PermissionDenied:
            return ""

    def _device(self) -> str:
        if self.request is None:
            return ""
        return device_in(self.get_http_user_agent(self.request)[:HTTP_USER_AGENT_MAX_LENGTH])
