"""The forms of a page as a browser sees them: where each is sent, and what is typed into it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

TYPED = {"text", "email", "password", "number", "url", "date", "datetime-local", "tel", "textarea", "search"}


@dataclass
class Control:
    """A field: `kind` is the type of an input, or `textarea`, or `select`."""

    name: str
    kind: str
    value: str
    required: bool


@dataclass
class PageForm:
    """A form: what its method and action say ("" without one), its named fields, what its first button says."""

    method: str
    action: str
    controls: list[Control] = field(default_factory=list)
    button: dict[str, str] = field(default_factory=dict)
    novalidate: bool = False

    @property
    def typed(self) -> list[Control]:
        return [control for control in self.controls if control.kind in TYPED]


class FormParser(HTMLParser):
    """Collects the forms of a page, every id on it, and its title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.ids: list[str] = []
        self.title = ""
        self._inside: PageForm | None = None
        self._in_title = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids += [found["id"]] if "id" in found else []
        if tag == "form":
            self._inside = PageForm(
                found.get("method", "get"), found.get("action", ""), novalidate="novalidate" in found
            )
            self.forms.append(self._inside)
        if tag == "title":
            self._in_title = True
        if self._inside and tag == "button" and found.get("name") and not self._inside.button:
            self._inside.button = {found["name"]: found.get("value", "")}
        if self._inside and tag in ("input", "textarea", "select") and found.get("name") and "disabled" not in found:
            kind = found.get("type", "text") if tag == "input" else tag
            self._inside.controls.append(Control(found["name"], kind, found.get("value", ""), "required" in found))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None
        if tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title = " ".join((self.title + data).split())
