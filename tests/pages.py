"""Reading pages as a customer does: the words beside a field, the rows of a table."""

import html
import re

HTMX = {"HX-Request": "true"}


def words(markup: str) -> str:
    """The text of some HTML, tags gone and white space folded."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def page_words(response) -> str:
    return words(response.content.decode())


def markup(response) -> str:
    """The HTML of a page with the white space folded that its templates are laid out with."""
    text = re.sub(r"\s+", " ", response.content.decode())
    return re.sub(r"(?<=>) | (?=[<>])", "", text)


def error_beside(response, field_id: str) -> str:
    """What the page says is wrong, at the element that the field's aria-describedby names."""
    page = response.content.decode()
    field = re.search(rf'<(?:input|textarea|select)[^>]*\bid="{field_id}"[^>]*>', page)
    assert field, f"no field {field_id}"
    if 'aria-invalid="true"' not in field[0]:
        return ""
    says = field[0]
    if 'type="radio"' in field[0]:  # one of a group, which says it once
        field_id = re.sub(r"_\d+$", "", field_id)
        group = re.search(rf'<[^>]*role="group"[^>]*{field_id}_error[^>]*>', page)
        says = group[0] if group else ""
    assert f"{field_id}_error" in says, f"{field_id} does not name its error"
    return words(re.search(rf'id="{field_id}_error"[^>]*>(.*?)</(?:ul|div)>', page, re.DOTALL)[1])


def summary(response) -> list[tuple[str, str]]:
    """What the summary at the head of the page says is wrong: the words, and the id of what each leads to."""
    found = re.search(r'<div class="error-summary".*?</ul></div></div>', markup(response), re.DOTALL)
    entries = re.findall(r'<li data-mended-by="[^"]*">(.*?)</li>', found[0]) if found else []
    return [(words(entry), (re.findall(r'href="#([^"]*)"', entry) or [""])[0]) for entry in entries]


def alerts(response) -> str:
    """What the page says is wrong with the form as a whole: what the summary ties to no field.

    A part that htmx brings in has no summary, and says it in an alert. The note for failed requests is another matter.
    """
    page = re.sub(r'<div data-failed-request="\w+" hidden>.*?</div></div></div>', "", markup(response))
    found = re.findall(r'<div class="alert" data-level="error" role="alert">(.*?)</div></div>', page)
    found += re.findall(r'<li data-mended-by="">(.*?)</li>', page)
    return " ".join(words(alert) for alert in found)


def hidden(response, name: str) -> str:
    """The value of a hidden field as the page carries it."""
    field = re.search(rf'<input[^>]*name="{name}"[^>]*>', response.content.decode())[0]
    return re.search(r'value="([^"]*)"', field)[1]
