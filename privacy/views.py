"""The account's page of privacy: a download of everything, and the end of the account."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import CustomerRequest, PageRequest, address_of, customers_only, personal_page, render_live
from accounts.moments import write_day, write_moment
from accounts.security.fresh_sign_in import confirm_url, is_fresh, needs_fresh_sign_in
from accounts.security.notices import tell_of_change
from orders.lifecycle.goods import note_looks_at_all
from preferences.face import STORE_NAME
from preferences.keeping import DELETION_DELAY, EXPORTS_KEPT
from privacy.deletion.form import DeletionForm
from privacy.deletion.links import LinkIsOver, deletion_of
from privacy.deletion.obstacles import obstacles_of
from privacy.deletion.requests import CannotDelete, keep_account, request_deletion
from privacy.exports.files import path_of
from privacy.exports.operations import ExportUnderWay, TooSoon, next_export_at, request_export
from privacy.models import DataExport
from wallet.operations import wallet_of

GONE, UNPROCESSABLE = 410, 422
READ = ("GET", "HEAD", "POST")


@customers_only
@require_safe
def home(request: CustomerRequest) -> HttpResponse:
    """Show how far the last download is, and where an account is deleted; asked again while one is being prepared."""
    export = DataExport.objects.filter(user=request.user).order_by("-pk").first()
    next_at = next_export_at(request.user, now=timezone.now())
    context = {
        "export": export,
        "next_at": next_at,
        "kept_days": EXPORTS_KEPT.value.days,
        "delay_days": DELETION_DELAY.value.days,
    }
    state = (export and (export.pk, export.state, export.rows_done), next_at)
    return render_live(request, "privacy/home.html", "download", context, state=state)


@customers_only
@require_POST
def prepare(request: CustomerRequest) -> HttpResponse:
    """Have a download prepared."""
    try:
        request_export(request.user, now=timezone.now())
    except ExportUnderWay:
        messages.info(request, _("Your download is already being prepared."))
    except TooSoon as refusal:
        text = _("You can prepare one download a day. The next one is possible from %(time)s.")
        at = write_moment(refusal.free_at)
        messages.error(request, text % {"time": at})
    else:
        messages.success(request, _("Your download is being prepared. We'll email you when it is ready."))
    return redirect("privacy:home")


@customers_only
@require_POST
def download(request: CustomerRequest, pk: int) -> HttpResponseBase:
    """Send the file, to its owner alone, who hears of it; whoever has it has looked at all the goods in it."""
    if not is_fresh(request):
        # A file would leave the page that asks who it is on the screen, as if nothing had come of it.
        return redirect(confirm_url(reverse("privacy:home")))
    export = get_object_or_404(DataExport, pk=pk, user=request.user, state=DataExport.State.READY)
    try:
        file = path_of(export.file_name).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    # Goods are noted before they are shown, as where an order shows them.
    until = export.ready_at or export.requested_at
    note_looks_at_all(request.user, until=until, address=address_of(request), now=timezone.now())
    tell_of_change(request.user, _("Everything we know about you was downloaded."))
    name = f"{STORE_NAME.value}-{export.requested_at:%Y-%m-%d}.zip"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")


@customers_only
@require_http_methods(READ)
@needs_fresh_sign_in
def delete(request: CustomerRequest) -> HttpResponse:
    """Say what happens to the account, the data and the money, and take the request."""
    wallet_of(request.user)
    obstacles = obstacles_of(request.user)
    form = DeletionForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        try:
            deletion = request_deletion(request.user, now=timezone.now())
        except CannotDelete as refusal:
            obstacles = refusal.obstacles
        else:
            logout(request)
            text = _("Your account will be deleted on %(date)s. Until then you can undo it: see the email we sent.")
            messages.success(request, text % {"date": write_day(deletion.due_at)})
            return redirect("home")
    form.fields_shown = not obstacles
    context = {"form": form, "obstacles": obstacles, "delay_days": DELETION_DELAY.value.days}
    status = UNPROCESSABLE if request.method == "POST" else None
    return render(request, "privacy/delete.html", context, status=status)


@personal_page
@require_http_methods(READ)
def keep(request: PageRequest, token: str) -> HttpResponse:
    """Keep the account, for whoever got the link in its mailbox or knows the password; then comes a usual sign-in."""
    try:
        deletion = deletion_of(token)
        if request.method != "POST":
            return render(request, "privacy/keep.html", {"deletion": deletion})
        keep_account(deletion, now=timezone.now())
    except LinkIsOver:
        return render(request, "privacy/keep.html", {"deletion": None}, status=GONE)
    messages.success(request, _("Your account stays. Sign in to go on."))
    return redirect("account_login")
