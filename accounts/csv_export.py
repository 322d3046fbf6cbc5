"""What every CSV for spreadsheets shares: written line by line, read right by Excel, and no formula in a cell."""

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as the machine's own code page
# A cell that begins like this is a formula to a spreadsheet, and the texts in it were typed by anybody.
# Source: OWASP, "CSV Injection".
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


class Echo:
    """Hands back what a csv writer writes, instead of keeping it."""

    def write(self, text: str) -> str:
        return text


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text
