"""Forms read what was pasted: nothing unseen stays in any of them but in passwords; numbers as people write them."""

import importlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import translation

from accounts.money import MicrosFormField
from accounts.typed_forms import AmountField, AsTypedField, Form, ModelForm, QuantityField, ReadsTyped, as_read
from storefront.configuration.sign_in_forms import ACCOUNT_FORMS, MFA_FORMS

UNSEEN = "\u200b"
APPS = ("accounts", "api", "catalog", "notifications", "orders", "privacy", "sms", "storefront", "support", "wallet")


class Everything(Form):
    text = forms.CharField()
    lines = forms.CharField(widget=forms.Textarea)
    email = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput)
    amount = MicrosFormField()
    percent = AmountField()
    pieces = QuantityField()
    number = forms.IntegerField()
    day = forms.DateField()
    raw = AsTypedField()


FILLED = {
    "text": "\ufeffAnn\u00a0\u00adSmith\u200b ",
    "lines": "one\u200b\r\ntwo\x0bstill two",
    "email": "\u2060ann@exam\u00adple.com\u200b",
    "password": "pass\u200bword",
    "amount": "1\u202f000,50\u200b",
    "percent": "10,5",
    "pieces": "1 000",
    "number": "5\u200b",
    "day": "2026-01-02\u200e",
    "raw": "a\u200bb",
}


def test_form_when_text_was_pasted_takes_what_is_seen_of_it() -> None:
    form = Everything(FILLED)

    assert form.is_valid(), form.errors
    found = form.cleaned_data
    assert (found["text"], found["lines"]) == ("Ann Smith", "one\ntwo still two")
    assert (found["email"], found["password"]) == ("ann@example.com", "pass\u200bword")
    assert (found["amount"], str(found["percent"])) == (1_000_500_000, "10.5")
    assert (found["pieces"], found["number"], str(found["day"])) == (1000, 5, "2026-01-02")
    assert found["raw"] == "a\u200bb"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("email", "an\u200bn@example.com"),  # perhaps somebody else's
        ("amount", "1,000"),
        ("amount", "1_000"),
        ("amount", "5\x00"),
        ("pieces", "1.000"),
        ("pieces", "1,000"),
        ("pieces", "12.5"),
        ("text", "\u200b\u00ad "),
    ],
)
def test_form_when_two_things_may_be_meant_refuses_it(field: str, typed: str) -> None:
    form = Everything({**FILLED, field: typed})

    assert list(form.errors) == [field]


def every_form() -> Iterator[type[forms.BaseForm]]:
    """Every form class that the shop can show: its own, those of allauth's that are shown, the admin's."""
    assert get_resolver().reverse_dict  # imports what is behind every address
    kinds = [forms.BaseForm]
    for kind in kinds:
        kinds += kind.__subclasses__()
    yield from (found for found in set(kinds) if found.__module__.split(".")[0] in APPS)
    for path in (*ACCOUNT_FORMS.values(), *MFA_FORMS.values()):
        module, _dot, name = path.rpartition(".")
        yield getattr(importlib.import_module(module), name)


def test_every_form_with_a_text_field_reads_it_in_the_one_place() -> None:
    plain = {
        f"{found.__module__}.{found.__qualname__}"
        for found in every_form()
        if not issubclass(found, ReadsTyped) and any(map(_is_text, getattr(found, "base_fields", {}).values()))
    }

    assert plain == set()


def test_every_text_field_of_every_form_is_rid_of_what_nobody_sees() -> None:
    fields = [
        (found, name, field)
        for found in set(every_form())
        for name, field in getattr(found, "base_fields", {}).items()
        if _is_text(field)
    ]
    kept = [
        f"{found.__qualname__}.{name}"
        for found, name, field in fields
        if not isinstance(field.widget, forms.PasswordInput)
        and not isinstance(field, AsTypedField)
        and as_read(field, f"a{UNSEEN}b@c.de{UNSEEN}").endswith(UNSEEN)
    ]

    assert len(fields) > 15
    assert kept == []


def test_every_page_of_the_admin_edits_through_such_a_form(rf: Any, admin_user: Any) -> None:
    request = rf.get("/")
    request.user = admin_user
    edited = [
        pages
        for pages in admin.site._registry.values()
        if pages.has_add_permission(request) or pages.has_change_permission(request)
    ]

    plain = [
        pages.model._meta.label
        for pages in edited
        for form in (pages.form, getattr(pages, "add_form", ModelForm), pages.get_changelist_form(request))
        if not issubclass(form, ReadsTyped)
    ]

    assert len(edited) > 10
    assert plain == []


def test_sign_in_when_what_nobody_sees_was_pasted_with_the_address_knows_the_customer(client: Client, ann: Any) -> None:
    ann.set_password("a long enough one")
    ann.save()

    client.post(reverse("account_login"), {"login": f"{UNSEEN}{ann.email}\ufeff", "password": "a long enough one"})

    assert client.session["_auth_user_id"] == str(ann.pk)


def _is_text(field: forms.Field) -> bool:
    return isinstance(field, forms.CharField)


@pytest.mark.parametrize(("language", "limit"), [("en", "100,000"), ("ru", "100\xa0000")])
def test_form_when_an_amount_is_too_large_then_the_limit_is_grouped(language: str, limit: str) -> None:
    class Amounts(Form):
        amount = AmountField(max_value=Decimal(100_000))

    with translation.override(language):
        [error] = Amounts({"amount": "100001"}).errors["amount"]

    assert limit in error
