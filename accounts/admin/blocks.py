"""What stands beside something on a page of the admin: names and values below a title, for `admin/block.html`."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Block:
    """Names and values below a title, which may lead to the row's own page; `events` are listed below them."""

    title: str
    lines: list[tuple[str, str]]
    link: str = ""
    events: list[tuple[str, str]] = field(default_factory=list)

    def without_empty(self) -> "Block":
        """Return it without the lines that have no value."""
        return Block(self.title, [(name, value) for name, value in self.lines if value], self.link, self.events)
