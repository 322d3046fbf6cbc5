"""Descriptions: a stranger's HTML loses what could do harm, plain text keeps its lines."""

import pytest

from catalog.browse.descriptions import description_html
from catalog.models import Service


@pytest.mark.parametrize(
    ("upstream", "shown"),
    [
        ("", ""),
        ("One <3\ntwo", "<p>One &lt;3<br>two</p>"),
        ("<p>Fast <b>start</b></p>", "<p>Fast <b>start</b></p>"),
        ("<script>alert(1)</script><p onclick='x()'>Hi</p>", "<p>Hi</p>"),
        ("<img src=x onerror=alert(1)><b>ok</b>", "<b>ok</b>"),
        ("<a href='javascript:alert(1)'>x</a>", '<a rel="nofollow noopener noreferrer ugc">x</a>'),
        (
            "<a href='https://e.com' style='color:red'>x</a>",
            '<a href="https://e.com" rel="nofollow noopener noreferrer ugc">x</a>',
        ),
        ("<h1 class=big>Title</h1>text", "<p><strong>Title</strong></p>text"),
        ("<style>body{display:none}</style>text<br>", "text<br>"),
        ("<p>never closed", "<p>never closed</p>"),
    ],
)
def test_description_html_of_upstreams_text(upstream, shown):
    assert description_html(Service(upstream_description=upstream)) == shown


def test_description_html_when_the_admin_wrote_one_shows_that():
    service = Service(description="Ours & better", upstream_description="<p>Theirs</p>")

    assert description_html(service) == "<p>Ours &amp; better</p>"
