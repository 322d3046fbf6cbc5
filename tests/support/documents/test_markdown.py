"""Attack: whoever may write a text, or has an owner's password, puts into it what a page must not hold."""

import re
import time

import pytest

from support.documents.markdown import LONGEST, TAGS, parts_of


def html_of(text: str) -> str:
    """Everything a page would show of a text."""
    return "".join(f"{each.html}" for part in parts_of(text) for each in (part, *part.parts))


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![pixel](https://evil.example/p.png)",
    "![x](data:image/png;base64,AAAA)",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](\tjavascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "<javascript:alert(1)>",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x]: javascript:alert(1)\n\n[x]",
    '[x](https://a.example "\\" onmouseover=\\"alert(1)")',
    "<a href='https://a.example' onclick='alert(1)'>x</a>",
    "<iframe src=https://evil.example></iframe>",
    "<style>body{display:none}</style>",
    "<!-- --><svg/onload=alert(1)>",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "## <script>alert(1)</script>",
    "### <img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "|a|\n|-|\n|<script>alert(1)</script>|",
    "<form action=//evil.example><input name=q></form>",
    "<b><scr<script>ipt>alert(1)</script></b>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_parts_of_what_is_hostile_are_harmless(text: str) -> None:
    html = html_of(text)

    tags = re.findall(r"<\s*/?\s*([a-zA-Z0-9]+)([^>]*)>", html)
    assert {name for name, _rest in tags} <= TAGS
    assert "img" not in {name for name, _rest in tags}
    for _name, rest in tags:
        attributes = set(re.findall(r"([a-z]+)=", re.sub(r'"[^"]*"', '""', rest)))
        assert attributes <= {"href", "title", "rel", "start"}
        assert not re.search(r'href="\s*(?!https?:|mailto:|/|#)', rest)


def test_parts_of_a_title_that_looks_like_markup_are_text() -> None:
    [part] = parts_of("## <b>Bold</b> & co")

    assert part.title == "<b>Bold</b> & co"  # the template escapes it
    assert part.html == ""


def test_parts_of_a_link_say_that_nobody_is_endorsed() -> None:
    assert html_of("[x](https://a.example/?a=1&b=2)") == (
        '<p><a href="https://a.example/?a=1&amp;b=2" rel="nofollow noopener">x</a></p>'
    )


@pytest.mark.parametrize(
    "text", ["> " * 20_000, "[" * 30_000, "*a" * 30_000, "- " * 30_000, "|a" * 20_000, "`" * 40_000]
)
def test_parts_of_what_is_nested_or_huge_are_made_quickly(text: str) -> None:
    began = time.monotonic()

    parts_of(text)

    assert time.monotonic() - began < 5


def test_parts_of_more_than_a_text_may_have_end_there() -> None:
    assert len(html_of("a" * (LONGEST + 5000))) <= LONGEST + 10


def test_parts_of_headings_are_sections_with_anchors_of_their_own() -> None:
    parts = parts_of(
        "Above.\n\n# One\n\nText.\n\n### A?\n\nYes.\n\n## One\n\n### Вопрос?\n\nОтвет.\n\n## Content\n\n#### Deep\n"
    )

    assert [(part.anchor, part.title) for part in parts] == [
        ("", ""), ("one", "One"), ("one-2", "One"), ("content-2", "Content"),
    ]  # fmt: skip
    assert [(inner.anchor, inner.title, inner.html) for inner in parts[2].parts] == [
        ("вопрос", "Вопрос?", "<p>Ответ.</p>")
    ]
    assert parts[1].html == "<p>Text.</p>"
    assert parts[3].html == "<h4>Deep</h4>"


def test_parts_of_a_heading_inside_a_quote_tear_nothing_apart() -> None:
    [part] = parts_of("> ## Quoted\n>\n> text\n")

    assert (part.anchor, part.html) == ("", "<blockquote>\n<h4>Quoted</h4>\n<p>text</p>\n</blockquote>")
