"""The customer's own orders: all of them, one of them, and the whole list as a file."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import CustomerRequest, customers_only, is_looked_at, render_live
from accounts.encrypted_fields import as_stored
from accounts.paging import LongPage, open_page
from orders.lifecycle.service_requests import allowed_requests
from orders.lifecycle.warranty import warranty_of
from orders.models import Kind, Order, OrderEvent, OrderQuerySet, ServiceRequest, load_sold
from orders.pages.estimate import estimate_of
from orders.pages.export import csv_lines
from orders.pages.forms import OrderFilterForm
from orders.pages.goods_page import claims_of, reports_of
from orders.timeline import FLAGGED, timeline_of, waits_since

ORDERS_PER_PAGE = 25


@customers_only
@require_safe
def order_list(request: CustomerRequest) -> HttpResponse:
    """Show the customer's own orders; while one of those shown is open, the rows refresh themselves."""
    form = OrderFilterForm(request.GET)
    _orders, page = _found(form, request)
    load_sold(page)
    rows = [(order.pk, order.status, order.remains, order.refunded_micros) for order in page]
    context = {
        "page": page,
        "form": form,
        "groups": OrderFilterForm.Group,
        "moving": any(order.is_open for order in page),
    }
    return render_live(request, "orders/order_list.html", "rows", context, state=(page.counted, rows))


def _found(form: OrderFilterForm, request: CustomerRequest) -> tuple[OrderQuerySet, LongPage]:
    """Return the orders that the filter asks for, and the page of them; where no words match, those that look alike."""
    own = request.user.orders.newest_first()
    orders = form.narrow(own)
    page = open_page(orders, request.GET, ORDERS_PER_PAGE)
    if form.words and not page.rows:
        orders = form.narrow(own, alike=True)
        page = open_page(orders, request.GET, ORDERS_PER_PAGE)
    return orders, page


@customers_only
@require_safe
def export(request: CustomerRequest) -> StreamingHttpResponse:
    """Send the customer's own orders as CSV, narrowed by the filter of the list; it streams, however many there are."""
    form = OrderFilterForm(request.GET)
    orders = _found(form, request)[0] if form.words else form.narrow(request.user.orders.newest_first())
    response = StreamingHttpResponse(csv_lines(orders), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="orders-{timezone.localdate():%Y-%m-%d}.csv"'
    return response


@customers_only
@require_safe
def detail(request: CustomerRequest, pk: int) -> HttpResponse:
    """Show one of the customer's own orders with its timeline; it refreshes itself until it is finished."""
    own = request.user.orders.select_related("service__category", "service__quality", "goods").annotate(**FLAGGED)
    order = get_object_or_404(own, pk=pk)
    requests = list(order.requests.all())
    events = order.events.exclude(code__in=OrderEvent.STAFF_ONLY)
    waits = waits_since(order)
    timeline = timeline_of(events, requests, waits_since=waits)
    number = order.number if order.kind == Kind.NUMBER else None
    estimate = estimate_of(order, now=timezone.now())
    goods, hidden = getattr(order, "goods", None), is_looked_at(request)
    reports = reports_of(claims_of(order)) if goods else []
    state = (
        order.status,
        bool(order.held_because),
        order.remains,
        order.start_count,
        order.refunded_micros,
        timeline,
        estimate,
        goods and goods.pieces,
        [(report.lines, report.first.pk, report.parts) for report in reports],
        # Who may not read a code is not given a digest of it either: they could try them all.
        number
        and (
            number.state,
            number.phone,
            *(() if hidden else (as_stored(number, "code"), as_stored(number, "content"))),
        ),
    )
    context = {
        "order": order,
        "timeline": timeline,
        "estimate": estimate,
        "waits": waits is not None,
        "number": number,
        "goods": goods,
        "reports": reports,
        "warranty": warranty_of(order, goods, now=timezone.now()),
        "replaced": order.replacement_of if order.original_id else None,
        "hidden": hidden,
        "requests": requests,
        "kinds": _requests_left(order, requests),
    }
    return render_live(request, "orders/order_detail.html", "live", context, state=state)


def _requests_left(order: Order, requests: list[ServiceRequest]) -> list[str]:
    """What can be asked for now: allowed, and not asked for already."""
    asked = {request.kind for request in requests if request.state == ServiceRequest.State.OPEN}
    return [kind for kind in allowed_requests(order) if kind not in asked]
