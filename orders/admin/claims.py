"""Reports about goods: what is known of each line beside the supplier's deadline, and the three answers to it.

A report is shown as one row, that of its first line that waits. Choosing lines and an answer leads to a page that says
what that does to whose money; only its button does it.
"""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, F, OuterRef, QuerySet, Subquery, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.fresh_sign_in import kept_of
from accounts.admin.lists import in_one_line
from accounts.admin.widgets import EMPTY, ReadOnlyAdmin, member_of_staff
from accounts.moments import write_distance, write_moment
from accounts.power import NotYourOwnMoney
from orders.admin.claim_page import lines_of, pending_answers, preview_of, replacements_of
from orders.claims.answering import LONGEST_TEXT, answer_claims
from orders.claims.terms import AlreadyAnswered, AnswerRefused, claimed_order
from orders.lifecycle.complaints import complaint_deadline
from orders.models import ClaimAnswer, GoodsClaim
from orders.preferences import COMPLAINT_HOURS
from wallet.admin.manual_moves import lead_to_waiting
from wallet.models import MoneyRequest

Kind, State = ClaimAnswer.Kind, GoodsClaim.State
COLOURS = {State.WAITING: "warning", State.REPLACED: "success", State.REFUNDED: "success", State.REFUSED: "danger"}
LONGEST_ORDER, LONGEST_REASON, LONGEST_ADDRESS = 26, 22, 26
TO_REFUSE, TO_PAY = "orders.change_goodsclaim", "orders.change_order"


@admin.register(GoodsClaim)
class GoodsClaimAdmin(ReadOnlyAdmin):
    change_form_outer_after_template = "admin/orders/claim.html"
    list_display = (
        "about",
        "shown_lines",
        "shown_state",
        "deadline",
        "shown_reason",
        "shown_customer",
        "reported",
    )
    list_filter = ("state", "reason", "claimed_at")
    list_select_related = ("order__user",)
    search_fields = ("order__id__exact", "order__user__email")
    fields = (
        ("order", "customer"),
        ("service", "upstream_id"),
        ("reason", "claimed_at"),
        "text",
        ("bought_at", "warranty"),
        ("deadline", "looks"),
    )
    readonly_fields = tuple(name for row in fields for name in (row if isinstance(row, tuple) else (row,)))

    # --- The list -------------------------------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[GoodsClaim]:
        rows: QuerySet[GoodsClaim] = super().get_queryset(request).select_related("order__user", "order__service")
        name = request.resolver_match.url_name if request.resolver_match else ""
        if name != "orders_goodsclaim_changelist":
            return rows
        together = GoodsClaim.objects.filter(order=OuterRef("order"), claimed_at=OuterRef("claimed_at")).order_by()
        first = together.order_by(Case(When(state=State.WAITING, then=0), default=1), "line").values("pk")[:1]
        counted = together.values("order").annotate(count=Count("pk")).values("count")
        waiting = together.filter(state=State.WAITING).values("order").annotate(count=Count("pk")).values("count")
        states = together.values("order").annotate(count=Count("state", distinct=True)).values("count")
        counts = {"lines": Subquery(counted), "waiting": Subquery(waiting), "states": Subquery(states)}
        return rows.filter(pk=Subquery(first)).annotate(**counts)

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        """Those that wait first, the next deadline on top; those that nobody can complain of any more after them."""
        ended = timezone.now() - timedelta(hours=COMPLAINT_HOURS.value)
        in_time = Case(
            When(state=State.WAITING, delivered_at__gt=ended, then=0), When(state=State.WAITING, then=1), default=2
        )
        soonest = Case(When(state=State.WAITING, then=F("delivered_at")), default=Value(None))
        return (in_time, soonest.asc(nulls_last=True), "-claimed_at", "-pk")

    # A row is a line: what is longer is cut, and the report's own page has all of it.
    @display(description=gettext_lazy("order"), ordering="order")
    def about(self, claim: GoodsClaim) -> str:
        return in_one_line(str(claim.order), LONGEST_ORDER)

    @display(description=gettext_lazy("reason"), ordering="reason")
    def shown_reason(self, claim: GoodsClaim) -> str:
        return in_one_line(str(claim.get_reason_display()), LONGEST_REASON)

    @display(description=gettext_lazy("customer"), ordering="order__user__email")
    def shown_customer(self, claim: GoodsClaim) -> str:
        return in_one_line(claim.order.user.email, LONGEST_ADDRESS)

    @display(description=gettext_lazy("reported"), ordering="claimed_at")
    def reported(self, claim: GoodsClaim) -> str:
        return in_one_line(write_distance(claim.claimed_at, now=timezone.now()))

    @display(description=gettext_lazy("lines"))
    def shown_lines(self, claim: Any) -> str:
        if claim.waiting and claim.waiting != claim.lines:
            return _("%(waiting)d of %(lines)d wait") % {"waiting": claim.waiting, "lines": claim.lines}
        return str(claim.lines)

    @display(description=gettext_lazy("state"), ordering="state", label=COLOURS)
    def shown_state(self, claim: Any) -> tuple[str, str]:
        if claim.state == State.WAITING:
            return claim.state, _("Waiting")
        return claim.state, claim.get_state_display() if claim.states == 1 else _("Answered")

    @display(description=gettext_lazy("complain until"), ordering="delivered_at")
    def deadline(self, claim: GoodsClaim) -> str:
        until, now = complaint_deadline(claim.delivered_at), timezone.now()
        if until is None or (claim.state != State.WAITING and until < now):
            return EMPTY
        return _("over") if until < now else in_one_line(write_distance(until, now=now))

    @display(description=gettext_lazy("customer"), ordering="order__user__email")
    def customer(self, claim: GoodsClaim) -> Any:
        return claim.order.user

    # --- A report -------------------------------------------------------------------------------------------------
    @display(description=gettext_lazy("service"))
    def service(self, claim: GoodsClaim) -> str:
        return str(claim.order.service or EMPTY)

    @display(description=gettext_lazy("upstream order"))
    def upstream_id(self, claim: GoodsClaim) -> str:
        return claim.order.upstream_id or EMPTY

    @display(description=gettext_lazy("bought"))
    def bought_at(self, claim: GoodsClaim) -> str:
        return write_moment(claim.order.created_at)

    @display(description=gettext_lazy("warranty, hours"))
    def warranty(self, claim: GoodsClaim) -> str:
        hours = claim.order.warranty_hours
        return EMPTY if hours is None else str(hours)

    @display(description=gettext_lazy("views of the goods"))
    def looks(self, claim: GoodsClaim) -> str:
        goods = getattr(claim.order, "goods", None)
        return str(sum(goods.reveals.values_list("looks", flat=True))) if goods else EMPTY

    def has_answer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(TO_REFUSE)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        claim = self.get_object(request, object_id)
        context = {**(extra_context or {})}
        if claim is not None:
            lines = lines_of(claim)
            context |= {
                "claim": claim,
                "claimed_lines": lines,
                "claim_waits": any(line.waits for line in lines),
                "pending": pending_answers(claim.order),
                "made": replacements_of(claim.order),
                "answers": self._answers(request),
            }
        return super().change_view(request, object_id, form_url, context)

    def _answers(self, request: HttpRequest) -> list[tuple[str, Any]]:
        """Which answers this person may give."""
        if not self.has_answer_permission(request):
            return []
        money = [(Kind.REPLACED, _("Replace them at our cost")), (Kind.REFUNDED, _("Give their money back"))]
        return [*(money if request.user.has_perm(TO_PAY) else []), (Kind.REFUSED, _("Refuse, with a reason"))]

    # --- Answering ------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        answer = path(
            "<path:object_id>/answer/", self.admin_site.admin_view(self.answer_view), name="orders_goodsclaim_answer"
        )
        return [answer, *super().get_urls()]

    def answer_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what the answer would do; do it once its button is pressed."""
        claim = self.get_object(request, object_id)
        if claim is None:
            return HttpResponseRedirect(reverse("admin:orders_goodsclaim_changelist"))
        kind = request.GET.get("kind", "")
        if kind not in dict(self._answers(request)):
            raise PermissionDenied
        page = reverse("admin:orders_goodsclaim_change", args=[claim.pk])
        typed = request.GET.getlist("line")
        lines = [int(number) for number in typed if number.isdecimal() and len(number) < 10]
        of_report = GoodsClaim.objects.filter(order=claim.order, claimed_at=claim.claimed_at, line__in=lines)
        lines = list(of_report.order_by("line").values_list("line", flat=True))
        problem = ""
        if request.method == "POST":
            try:
                return self._answer(request, claim, kind, lines, page)
            except (AlreadyAnswered, NotYourOwnMoney) as refusal:
                messages.error(request, str(refusal))
                return HttpResponseRedirect(page)
            except AnswerRefused as refusal:
                problem = str(refusal)
        try:
            preview = preview_of(claimed_order(claim.order_id), kind, lines, actor=member_of_staff(request))
        except (AnswerRefused, NotYourOwnMoney) as refusal:
            messages.error(request, problem or str(refusal))
            return HttpResponseRedirect(page)
        kept = kept_of(request) or request.POST
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": dict(self._answers(request))[kind],
            "claim": claim,
            "preview": preview,
            "problem": problem,
            "text": kept.get("text", ""),
            "longest": LONGEST_TEXT,
            "back": page,
        }
        return render(request, "admin/orders/claim_answer.html", context)

    def _answer(self, request: HttpRequest, claim: GoodsClaim, kind: str, lines: list[int], page: str) -> HttpResponse:
        expected = request.POST.get("expected", "")
        answer = answer_claims(
            claim.order_id,
            kind=kind,
            lines=lines,
            text=request.POST.get("text", "").replace("\r\n", "\n"),
            actor=member_of_staff(request),
            expected_micros=int(expected) if expected.isdecimal() and len(expected) < 19 else -1,
            now=timezone.now(),
        )
        asked = answer.request
        if asked is not None and asked.state == MoneyRequest.State.WAITING:
            self.log_change(request, claim, f"{kind} waits for a second person as request {asked.pk}")
            return lead_to_waiting(request, asked, back=page)
        said = _("Answered. The customer can see it, and is told.")
        self.log_change(request, claim, f"{kind}: {answer.lines}")
        messages.success(request, said)
        return HttpResponseRedirect(page)
