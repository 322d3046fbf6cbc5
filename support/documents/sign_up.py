"""Signing up accepts the terms: the form of `accounts`, with the box."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.access import address_of
from accounts.models import User
from accounts.sign_up import forms
from support.documents.accept_field import AcceptField
from support.documents.acceptance import accept, terms_now
from support.models import TermsAcceptance

NOBODY = 0


class SignupForm(forms.SignupForm):
    """Signing up. A shop without terms asks for none."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.terms = terms_now()
        if self.terms is not None:
            self.fields["terms"] = AcceptField(self.terms)

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Create the account and write down that the terms are accepted, both or neither.

        For an address that has an account the same is done, and nothing of it stays: see `accounts/sign_up/forms.py`.
        """
        with transaction.atomic():
            user, answer = super().try_save(request)
            if self.terms is not None:
                with transaction.atomic():
                    accept(
                        user.pk if user else NOBODY,
                        self.terms.pk,
                        door=TermsAcceptance.Door.SIGN_UP,
                        address=address_of(request),
                        now=timezone.now(),
                    )
                    if user is None:
                        transaction.set_rollback(True)
        return user, answer
