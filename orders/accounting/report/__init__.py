"""What the shop took in, sold, gave back and paid for, by day and by month; read from the ledger, to the micro."""

from orders.accounting.report.lines import Line, summed
from orders.accounting.report.periods import Begun, Span, days_of_month, months_of_year, today
from orders.accounting.report.totals import Report, first_year, report, sold_by_day

__all__ = [
    "Begun",
    "Line",
    "Report",
    "Span",
    "days_of_month",
    "first_year",
    "months_of_year",
    "report",
    "sold_by_day",
    "summed",
    "today",
]
