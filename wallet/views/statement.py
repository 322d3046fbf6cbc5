"""The movements of a wallet for the customer's own books, as CSV."""

from datetime import date

from django.db.models import Q
from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import CustomerRequest, customers_only
from wallet.operations import wallet_of
from wallet.statement import StatementForm, csv_lines, of_month


@customers_only
@require_safe
def statement(request: CustomerRequest) -> StreamingHttpResponse:
    """Send the movements that the wallet page's filter asks for; it streams, however many there are."""
    return _csv(request, StatementForm(request.GET).wanted(), f"statement-{timezone.localdate():%Y-%m-%d}")


@customers_only
@require_safe
def month(request: CustomerRequest, year: int, number: int) -> StreamingHttpResponse:
    """Send the movements of one month."""
    try:
        begins = date(year, number, 1)
        wanted = of_month(begins)
    except ValueError:
        raise Http404 from None
    return _csv(request, wanted, f"statement-{begins:%Y-%m}")


def _csv(request: CustomerRequest, wanted: Q, name: str) -> StreamingHttpResponse:
    lines = csv_lines(wallet_of(request.user), wanted)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
