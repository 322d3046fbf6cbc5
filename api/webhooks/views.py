"""The customer's pages of webhooks: the list, one with its secret and log, one message."""

import json

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import CustomerRequest, customers_only
from accounts.encryption import CannotDecrypt, decrypt
from accounts.security.fresh_sign_in import confirm_url, is_fresh, needs_fresh_sign_in
from accounts.security.notices import tell_of_change
from api.models import Webhook, WebhookDelivery
from api.preferences import MAX_WEBHOOKS
from api.webhooks import operations
from api.webhooks.addresses import NotAllowed
from api.webhooks.forms import WebhookForm
from preferences.keeping import WEBHOOKS_KEPT

ROWS_PER_PAGE = 25


@customers_only
@needs_fresh_sign_in
@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: CustomerRequest) -> HttpResponse:
    """List the customer's webhooks and add one."""
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            webhook, _secret = operations.add_webhook(user=request.user, **form.cleaned_data)
        except NotAllowed as refusal:
            form.add_error("url", _(str(refusal)))
        except operations.TooManyWebhooks:
            form.add_error(None, _("You have reached the maximum number of webhooks. Delete one first."))
        else:
            tell_of_change(request.user, _("A new webhook: %(url)s") % {"url": webhook.url})
            messages.success(request, _("The webhook has been added. Its secret is on this page."))
            return redirect("api:webhook", webhook.pk)
    rows = list(request.user.webhooks.all())
    context = {"form": form, "webhooks": rows, "maximum": MAX_WEBHOOKS.value}
    return render(request, "api/webhooks.html", context)


@customers_only
@needs_fresh_sign_in
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: CustomerRequest, pk: int) -> HttpResponse:
    """Show one with its secret and the log of its messages; change it."""
    row = get_object_or_404(request.user.webhooks, pk=pk)
    # A second instance: a form writes what was typed into the one it is given.
    form = WebhookForm(request.POST if request.method == "POST" else None, instance=Webhook.objects.get(pk=pk))
    if form.is_valid():
        try:
            operations.edit_webhook(row, **form.cleaned_data)
        except NotAllowed as refusal:
            form.add_error("url", _(str(refusal)))
        else:
            tell_of_change(request.user, _("A webhook was changed: %(url)s") % {"url": form.cleaned_data["url"]})
            messages.success(request, _("The webhook has been changed."))
            return redirect("api:webhook", pk)
    fresh = is_fresh(request)
    log = row.deliveries.defer("body_encrypted").select_related("order")
    page = Paginator(log, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "webhook": row,
        "form": form,
        "secret": operations.secret_of(row) if fresh else "",
        "confirm_url": "" if fresh else confirm_url(request.path),
        "both_until": row.old_secret_until if row.old_secret_until and row.old_secret_until > timezone.now() else None,
        "page": page,
        "keep_days": WEBHOOKS_KEPT.value.days,
    }
    return render(request, "api/webhook.html", context)


@customers_only
@needs_fresh_sign_in
@require_POST
def rotate(request: CustomerRequest, pk: int) -> HttpResponse:
    """Make a new secret."""
    row = get_object_or_404(request.user.webhooks, pk=pk)
    operations.rotate_secret(row)
    tell_of_change(request.user, _("A new secret of a webhook: %(url)s") % {"url": row.url})
    messages.success(request, _("The new secret is on this page. For 24 hours, messages are signed with both."))
    return redirect("api:webhook", pk)


@customers_only
@require_POST
def test(request: CustomerRequest, pk: int) -> HttpResponse:
    """Send a message that tells of nothing."""
    row = get_object_or_404(request.user.webhooks, pk=pk)
    if row.disabled_at is not None:
        messages.error(request, _("The webhook has been switched off."))
        return redirect("api:webhook", pk)
    try:
        operations.send_test(row)
    except operations.TooManyTests:
        messages.error(request, _("You have sent many test messages within an hour. Try again later."))
    else:
        messages.success(
            request,
            _("A test message is being sent. The result will appear in the log below; refresh the page to see it."),
        )
    return redirect("api:webhook", pk)


@customers_only
@require_POST
def switch(request: CustomerRequest, pk: int) -> HttpResponse:
    """Switch it on, or off: what the button said is in the form, so that two tabs do not undo each other."""
    row = get_object_or_404(request.user.webhooks, pk=pk)
    if request.POST.get("to") == "on":
        operations.switch_on(row)
        messages.success(request, _("The webhook has been switched on. You can send what it missed again below."))
    else:
        operations.switch_off(row.pk, because=operations.BY_THE_CUSTOMER, now=timezone.now())
        messages.success(request, _("The webhook has been switched off."))
    return redirect("api:webhook", pk)


@customers_only
@needs_fresh_sign_in
@require_POST
def delete(request: CustomerRequest, pk: int) -> HttpResponse:
    """Delete it with its log."""
    row = get_object_or_404(request.user.webhooks, pk=pk)
    operations.delete_webhook(row)
    tell_of_change(request.user, _("A webhook was deleted: %(url)s") % {"url": row.url})
    messages.success(request, _("The webhook has been deleted."))
    return redirect("api:webhooks")


@customers_only
@require_safe
def delivery(request: CustomerRequest, pk: int) -> HttpResponse:
    """Show one message: how it went, and what it says."""
    row = get_object_or_404(_deliveries_of(request), pk=pk)
    try:
        body = decrypt(row.body_encrypted) if row.body_encrypted else ""
    except CannotDecrypt:
        body = ""
    context = {
        "delivery": row,
        "webhook": row.webhook,
        "body": json.dumps(json.loads(body), indent=2, ensure_ascii=False) if body else "",
    }
    return render(request, "api/webhook_delivery.html", context)


@customers_only
@require_POST
def replay(request: CustomerRequest, pk: int) -> HttpResponse:
    """Send one message again."""
    row = get_object_or_404(_deliveries_of(request), pk=pk)
    if operations.replay(row):
        messages.success(request, _("The message is being sent again, with the same ID."))
    else:
        messages.error(
            request, _("It can't be sent again: its text is deleted, it is being sent already, or the webhook is off.")
        )
    return redirect("api:webhook_delivery", pk)


def _deliveries_of(request: CustomerRequest) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(webhook__user=request.user).select_related("webhook", "order")
