"""What the shop took in, sold, gave back and paid for, by day and by month; read from the ledger, to the micro."""

from orders.accounting.report.lines import Line, summed
from orders.accounting.report.periods import Span, days_of_month, months_of_year
from orders.accounting.report.totals import Report, first_year, report

__all__ = ["Line", "Report", "Span", "days_of_month", "first_year", "months_of_year", "report", "summed"]
