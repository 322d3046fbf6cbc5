"""What stands beside something on a page of the admin: names and values below a title, for `admin/block.html`."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Row:
    """One of several rows that a block lists: its name, which leads to its page, and what is said of it."""

    name: str
    said: str = ""
    link: str = ""


@dataclass(frozen=True)
class Block:
    """Names and values below a title, which may lead to the row's own page; `events` are listed below them.

    `rows` are the newest of what there is; `all_link` leads to the list of all of them, by that title
    or `all_title`.
    """

    title: str
    lines: list[tuple[str, str]]
    link: str = ""
    events: list[tuple[str, str]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    all_link: str = ""
    all_title: str = ""

    def without_empty(self) -> "Block":
        """Return it without the lines that have no value."""
        return replace(self, lines=[(name, value) for name, value in self.lines if value])
