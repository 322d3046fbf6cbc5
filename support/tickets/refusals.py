"""Why something cannot be said or done in a ticket."""


class TicketRefused(Exception):
    """This can't be said or done so; the text is for its reader, `field` is what it is about. Nothing has changed."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field
