"""The account's pages of API keys: made, shown once, changed, rotated, revoked; and the test money of test keys."""

from datetime import UTC, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import CustomerRequest, customers_only
from accounts.keys.api_keys import (
    KeyIsRevoked,
    KeyIsShown,
    TooManyKeys,
    change_api_key,
    create_api_key,
    revoke_api_key,
    rotate_api_key,
    show_api_key,
)
from accounts.keys.forms import (
    BOUNDS,
    HABITS,
    POWERS,
    CustomerKeyForm,
    KeyForm,
    NewKeyForm,
)
from accounts.models import ApiKey, ApiKeySpending
from accounts.preferences import MAX_KEYS
from accounts.security.fresh_sign_in import needs_fresh_sign_in
from accounts.security.notices import tell_of_change
from api.test_mode.operations import fill_test_wallet, simulated_balance_micros
from api.test_mode.scenarios import LINK_WORDS, PHONES

OVERLAP = timedelta(hours=24)
OLD_KEYS_SHOWN = 10


@customers_only
@needs_fresh_sign_in
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: CustomerRequest) -> HttpResponse:
    """List one's keys and make a new one, which the answer shows: it can never be read again."""
    form = NewKeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            key, text = create_api_key(user=request.user, **form.powers)
        except TooManyKeys:
            form.add_error(None, _too_many())
        else:
            tell_of_change(request.user, _("A new API key: %(name)s.") % {"name": key.name})
            return _shown(request, key, text)
    now = timezone.now()
    counted_at = Coalesce(OuterRef("counts_with"), OuterRef("pk"))
    today = ApiKeySpending.objects.filter(key=counted_at, day=now.astimezone(UTC).date())
    mine = request.user.api_keys.annotate(spent_today_micros=Subquery(today.values("spent_micros")[:1]))
    alive = list(mine.alive(now))
    over = [key for key in mine.order_by("-revoked_at", "-expires_at") if not key.is_alive(now)]
    context = {
        "form": form,
        "groups": _groups(form),
        "alive": alive,
        "over": over[:OLD_KEYS_SHOWN],
        "maximum": MAX_KEYS.value,
        "endpoint": _endpoint(),
        "test_money_micros": simulated_balance_micros(request.user) if any(key.is_test for key in alive) else None,
        "link_words": LINK_WORDS.items(),
        "phones": PHONES.items(),
    }
    return render(request, "api/keys.html", context)


@customers_only
@needs_fresh_sign_in
@require_http_methods(["GET", "HEAD", "POST"])
def key(request: CustomerRequest, pk: int) -> HttpResponse:
    """Show one of one's own keys and change what it may do."""
    found = _own(request, pk)
    form = CustomerKeyForm(request.POST if request.method == "POST" else None, instance=found)
    if form.is_valid():
        try:
            change_api_key(found.pk, **form.powers)
            tell_of_change(request.user, _("An API key was changed: %(name)s.") % {"name": form.powers["name"]})
            messages.success(request, _("The key has been changed. Changes apply from the next call."))
        except KeyIsRevoked:
            messages.error(request, _("This key has been revoked."))
        return redirect("api:key", found.pk)
    fresh = _own(request, pk)  # the form has written what was typed into the other one
    context = {
        "key": fresh,
        "alive": fresh.is_alive(timezone.now()),
        "form": form,
        "groups": _groups(form),
        "spending": ApiKeySpending.objects.filter(key=fresh.counted_at_id)[:7],
        "endpoint": _endpoint(),
    }
    return render(request, "api/key.html", context)


@customers_only
@needs_fresh_sign_in
@require_POST
def show(request: CustomerRequest, pk: int) -> HttpResponse:
    """Show a key that staff has made, once."""
    found = _own(request, pk)
    try:
        text = show_api_key(found.pk, user=request.user)
    except (KeyIsShown, KeyIsRevoked):
        messages.error(request, _("This key has already been shown. Rotate it to get a new one."))
        return redirect("api:key", found.pk)
    tell_of_change(request.user, _("An API key was shown: %(name)s.") % {"name": found.name})
    return _shown(request, _own(request, pk), text)


@customers_only
@needs_fresh_sign_in
@require_POST
def rotate(request: CustomerRequest, pk: int) -> HttpResponse:
    """Replace a key, and show the new one; the old one ends now, or in a day."""
    found = _own(request, pk)
    keep_old_for = OVERLAP if request.GET.get("keep") == "day" else timedelta(0)
    try:
        new, text = rotate_api_key(found.pk, keep_old_for=keep_old_for)
    except KeyIsRevoked:
        messages.error(request, _("This key no longer works."))
        return redirect("api:keys")
    except TooManyKeys:
        messages.error(request, _too_many())
        return redirect("api:keys")
    tell_of_change(request.user, _("An API key was replaced by a new one: %(name)s.") % {"name": new.name})
    return _shown(request, new, text)


@customers_only
@require_POST
def revoke(request: CustomerRequest, pk: int) -> HttpResponse:
    """Stop one of one's own keys."""
    try:
        found = _own(request, pk)
        revoke_api_key(found.pk)
        tell_of_change(request.user, _("An API key was revoked: %(name)s.") % {"name": found.name})
        messages.success(request, _("The key has been revoked."))
    except KeyIsRevoked:
        messages.info(request, _("This key was already revoked."))
    return redirect("api:keys")


@customers_only
@require_POST
def fill(request: CustomerRequest) -> HttpResponse:
    """Give test keys their test money back."""
    fill_test_wallet(request.user)
    messages.success(request, _("Your test balance has been topped up."))
    return redirect("api:keys")


def _own(request: CustomerRequest, pk: int) -> ApiKey:
    return get_object_or_404(ApiKey, pk=pk, user=request.user)


def _shown(request: CustomerRequest, new: ApiKey, text: str) -> HttpResponse:
    # No redirect: the text would have to be kept somewhere until the next page.
    context = {"key": new, "text": text, "endpoint": _endpoint()}
    return render(request, "api/key_shown.html", context)


def _groups(form: KeyForm) -> list[tuple[str, list[Any]]]:
    """The fields of a form under their headings; what programs are used to comes last and seldom matters."""
    first = ["name", "is_test"] if "is_test" in form.fields else ["name"]
    rows = (("", first), (_("Permissions"), POWERS), (_("Limits"), BOUNDS), (_("Compatibility"), HABITS))
    return [(title, [form[name] for name in names]) for title, names in rows]


def _endpoint() -> str:
    return settings.SITE_URL + reverse("api:v2")


def _too_many() -> str:
    return _("You have %(maximum)d keys, which is the maximum. Revoke one first.") % {"maximum": MAX_KEYS.value}
