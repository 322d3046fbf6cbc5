"""What the shop took in, sold, gave back and paid for, by day and by month; read from the ledger, to the micro."""

from orders.operations.books.lines import Line, summed
from orders.operations.books.report import Report, first_year, report
from orders.operations.books.spans import Span, days_of_month, months_of_year

__all__ = ["Line", "Report", "Span", "days_of_month", "first_year", "months_of_year", "report", "summed"]
