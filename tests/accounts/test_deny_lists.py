"""Deny lists: every spelling of a thing is that thing, whoever meets an entry is counted, and told of no list."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.admin.deny_lists import DenyRuleForm
from accounts.deny_list.checks import Denied, denied_email, denied_link, denied_network, denied_payer, record_hit
from accounts.deny_list.known import forget, known
from accounts.deny_list.values import written
from accounts.models import DenyHit, DenyRule, User
from tests.accounts.denying import deny
from tests.pages import page_words
from tests.security.staff import at_the_admin
from tests.support.documents.terms import ticked

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
SIGN_UP = {"password1": "a fine long password", "password2": "a fine long password"}


def sign_up(email: str, address: str = "198.51.100.7") -> Any:
    return Client(REMOTE_ADDR=address).post(reverse("account_signup"), {"email": email, **SIGN_UP, **ticked()})


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("domain", " *.Bad.Example. ", "bad.example"),
        ("domain", "eve@Bad.Example", "bad.example"),
        ("domain", "пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("network", "203.0.113.9/24", "203.0.113.0/24"),
        ("network", "203.0.113.9", "203.0.113.9/32"),
        ("network", "::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("network", "2001:DB8::1/64", "2001:db8::/64"),
        ("link", "https://WWW.Instagram.com/Ann/#top", "instagram.com/ann"),
        ("link", "m.youtube.com/watch?v=aBc", "youtube.com/watch?v=aBc"),
        ("link", "//t.me//ann", "t.me/ann"),
        ("payer", " Eve@Bad.Example ", "eve@bad.example"),
        ("payer", "Xt5EWLLDS7FJjR1c", "Xt5EWLLDS7FJjR1c"),
    ],
)
def test_a_value_is_kept_in_one_spelling(kind: str, typed: str, kept: str) -> None:
    assert written(kind, typed) == written(kind, kept) == kept


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        *[("domain", text) for text in ("", "com", "a b.com", "-a.com", "x" * 64 + ".com", "\x00")],
        *[("network", text) for text in ("", "0.0.0.0/0", "::/0", "10.0.0.0/7", "300.1.1.1", "::ffff:0:0/96")],
        *[("link", text) for text in ("", "hello", "http://", "https://[::1")],
        ("payer", "  "),
    ],
)
def test_what_is_none_or_would_shut_out_everybody_is_refused(kind: str, typed: str) -> None:
    with pytest.raises(ValueError, match=r"Enter|too large"):
        written(kind, typed)


def test_emails_meet_the_domain_and_those_below_it() -> None:
    deny("domain", "bad.example")
    deny("domain", "xn--e1afmkfd.xn--p1ai")

    met = [
        denied_email(email) is not None
        for email in ("eve@bad.example", "EVE@mail.BAD.example", "eve@пример.рф", "eve@notbad.example", "eve@example",
                      "eve", "")
    ]  # fmt: skip

    assert met == [True, True, True, False, False, False, False]


def test_callers_meet_the_network_however_their_address_is_written() -> None:
    deny("network", "203.0.113.0/24")
    deny("network", "2001:db8::/64")

    met = [
        denied_network(address) is not None
        for address in ("203.0.113.77", "::ffff:203.0.113.77", "2001:DB8:0:0::9", "203.0.114.1", "2001:db8:1::9", "",
                        None, "nonsense")
    ]  # fmt: skip

    assert met == [True, True, True, False, False, False, False, False]


def test_links_meet_what_lies_below_an_entry() -> None:
    deny("link", "instagram.com/ann")
    deny("link", "youtube.com/watch?v=aBc")
    deny("link", "bad.example")

    met = {
        link: denied_link(link) is not None
        for link in (
            "https://instagram.com/ann", "http://www.INSTAGRAM.com/Ann/", "https://instagram.com/ann?igsh=1#x",
            "https://instagram.com/%61nn/reel/1", "https://m.instagram.com//ann/", "https://cdn.bad.example/x",
            "https://youtube.com/watch?t=1&v=aBc",
            "https://instagram.com/anna", "https://instagram.com/", "https://notinstagram.com/ann",
            "https://youtube.com/watch?v=abc", "https://youtube.com/watch", "https://example/ann", "",
        )
    }  # fmt: skip

    assert [link for link, is_met in met.items() if not is_met] == [
        "https://instagram.com/anna", "https://instagram.com/", "https://notinstagram.com/ann",
        "https://youtube.com/watch?v=abc", "https://youtube.com/watch", "https://example/ann", "",
    ]  # fmt: skip


def test_payers_meet_an_address_in_any_case_and_a_card_letter_by_letter() -> None:
    deny("payer", "eve@bad.example")
    deny("payer", "Xt5EWLLDS7FJjR1c")

    met = [denied_payer([name]) is not None for name in ("EVE@bad.example", "Xt5EWLLDS7FJjR1c", "xt5ewllds7fjjr1c", "")]

    assert met == [True, True, False, False]


@pytest.mark.parametrize(
    "spelling",
    [
        *("/./bad", "/x/../bad", "/../bad", "//bad", "/bad/.", "/bad/x/..", "/%2e/bad", "/x/%2E%2e/bad"),
        *("/%2562ad", "/%252562ad", "/b%25" + "25" * 40 + "61d", "/x/%252e%252e/bad", "/bad/%252e%252e/good"),
        *("/bad;x", "/bad;jsessionid=1/reel", "/;x/bad", "/x/..;/bad", "/bad/..;/good", "/bad%3Bx", "/bad;"),
        *("/bad%00", "/bad%00.html", "/ba%00d", "/bad%2500", "/bad%2Freel", "\\\\bad", "/bad\\reel", "/bad%5Creel"),
    ],
)
def test_spellings_that_servers_and_browsers_normalise_meet_the_entry(spelling: str) -> None:
    deny("link", "instagram.com/bad")

    assert denied_link(f"https://instagram.com{spelling}") is not None


@pytest.mark.parametrize("begins", ["https:/", "https:", "HTTP:\\\\", "https:////", "https:\\/", "http://me@", "\\\\"])
def test_beginnings_that_browsers_take_for_the_same_meet_the_entry(begins: str) -> None:
    deny("link", "instagram.com/bad")

    assert denied_link(f"{begins}instagram.com/bad") is not None


@pytest.mark.parametrize(
    "other",
    [
        *(
            "/good",
            "/bad/../good",
            "/bad/%2e%2e/good",
            "/good/bad",
            "/good%2Fbad",
            "/good;bad",
            "/good;/bad",
            "/bads;x",
        ),
        *("/ba%2564s", "/good?x=/../bad", "/good#/../bad", "/good%3F/../bad%3F", "/b%20ad", "/.bad", "/...", "/bad..x"),
    ],
)
def test_pages_beside_the_entry_do_not_meet_it(other: str) -> None:
    deny("link", "instagram.com/bad")

    assert denied_link(f"https://instagram.com{other}") is None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://instagram.com/x/../%2562ad/./", "instagram.com/bad"),
        ("instagram.com\\bad", "instagram.com/bad"),
        ("instagram.com/bad%00", "instagram.com/bad"),
        ("shop.example/a;id=2;lang=en/b", "shop.example/a/b;id=2;lang=en"),
        ("shop.example/a%3Fb?c=%2526d&e=1%2B1", "shop.example/a%3fb?c=%26d&e=1%2B1"),
        ("shop.example/a%0Ab", "shop.example/a%0Ab"),
    ],
)
def test_an_entry_is_written_in_the_spelling_that_orders_are_read_in(typed: str, kept: str) -> None:
    assert (written("link", typed).lower(), written("link", kept)) == (kept.lower(), written("link", typed))
    deny("link", typed)
    assert denied_link(typed.replace("%00", "")) is not None


def test_an_entry_with_parameters_means_links_that_have_them() -> None:
    deny("link", "shop.example/a;id=2")

    met = [denied_link(f"https://shop.example/{path}") is not None for path in ("a;id=2", "a;x;ID=2/b", "a", "a;id=3")]

    assert met == [True, True, False, False]


def test_a_video_is_the_same_however_often_its_id_is_coded() -> None:
    deny("link", "youtube.com/watch?v=aBc")

    met = [denied_link(f"https://youtube.com/watch?{query}") is not None for query in ("v=%2561Bc", "v=%61Bc", "v=abc")]

    assert met == [True, True, False]


def test_nothing_is_asked_while_the_lists_stay_as_they_are(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        deny("link", "bad.example")
    known()

    with CaptureQueriesContext(connection) as asked:
        assert denied_link("https://bad.example/1") is not None
        assert denied_email("ann@example.com") is denied_network("203.0.113.1") is None
    assert not asked
    forget()  # another process: the cache knows the version, and it reads the rows
    with CaptureQueriesContext(connection) as asked:
        assert denied_link("https://bad.example/1") is not None
    assert len(asked) == 1


def test_with_empty_lists_nothing_is_asked_at_all() -> None:
    with CaptureQueriesContext(connection) as asked:
        met = [denied_link("https://bad.example/1"), denied_email("a@b.example"), denied_network("192.0.2.1")]
        met.append(denied_payer(["a@b.example"]))

    assert met == [None] * 4
    assert not asked


def test_who_is_denied_does_not_sign_up_and_learns_nothing_of_the_list() -> None:
    deny("domain", "bad.example")
    deny("network", "203.0.113.0/24")

    answers = [sign_up("eve@mail.bad.example"), sign_up("eve@good.example", "::ffff:203.0.113.9")]
    welcome = sign_up("ann@good.example")

    assert [answer.status_code for answer in answers] == [200, 200]
    for answer in answers:
        words = page_words(answer)
        assert "We can't" in words
        assert not any(word in words.lower() for word in ("deny", "list entry", "blocked", "203.0.113"))
    assert welcome.status_code == 302
    assert list(User.objects.values_list("email", flat=True)) == ["ann@good.example"]
    assert [(hit.rule.kind, hit.place, hit.seen, hit.address) for hit in DenyHit.objects.order_by("pk")] == [
        ("domain", "sign_up", "eve@mail.bad.example", "198.51.100.7"),
        ("network", "sign_up", "203.0.113.9", "203.0.113.9"),
    ]
    assert [(rule.hits, rule.last_hit_at is not None) for rule in DenyRule.objects.all()] == [(1, True), (1, True)]


def test_a_customer_of_a_denied_domain_and_nobody_are_told_the_same(ann: User) -> None:
    deny("domain", "example.com")

    answers = [page_words(sign_up(email)) for email in (ann.email, "nob@example.com")]

    assert answers[0].replace(ann.email, "") == answers[1].replace("nob@example.com", "")


def test_an_address_of_a_denied_domain_does_not_become_an_accounts(ann: User, client: Client) -> None:
    deny("domain", "bad.example")
    client.force_login(ann)

    client.post(reverse("account_email"), {"action_add": "", "email": "ann@bad.example"})

    assert not EmailAddress.objects.filter(email="ann@bad.example").exists()


def test_a_rule_that_has_gone_counts_nothing(ann: User) -> None:
    rule = deny("link", "bad.example")
    rule_id = rule.pk
    rule.delete()

    record_hit(Denied(rule_id, "https://bad.example"), place="order", user=ann, now=timezone.now())

    assert not DenyHit.objects.exists()


def test_staff_adds_looks_and_removes_and_it_holds_at_once(sam: User) -> None:
    desk = at_the_admin(sam)
    add = reverse("admin:accounts_denyrule_add")

    assert desk.post(add, {"kind": "domain", "value": "Bad.Example", "note": "spam"}).status_code == 302
    again = desk.post(add, {"kind": "domain", "value": "*.bad.example.", "note": "spam"})
    wrong = desk.post(add, {"kind": "network", "value": "0.0.0.0/0", "note": "all"})

    rule = DenyRule.objects.get()
    assert (rule.value, rule.created_by) == ("bad.example", sam)
    assert [list(answer.context["adminform"].form.errors) for answer in (again, wrong)] == [["value"], ["value"]]
    assert denied_email("eve@bad.example") is not None
    sign_up("eve@bad.example")
    hits = desk.get(desk.get(f"/admin/accounts/denyrule/{rule.pk}/hits/")["Location"])
    assert "eve@bad.example" in page_words(hits)
    page = reverse("admin:accounts_denyrule_change", args=[rule.pk])
    desk.post(page, {"kind": "link", "value": "x.example", "note": "worse"})
    rule.refresh_from_db()
    assert (rule.kind, rule.value, rule.note) == ("domain", "bad.example", "worse")
    desk.post(reverse("admin:accounts_denyrule_delete", args=[rule.pk]), {"post": "yes"})
    assert denied_email("eve@bad.example") is None


def test_changing_the_note_loses_no_hit_counted_meanwhile(sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = deny("link", "bad.example")
    read = DenyRuleForm.clean

    def met_meanwhile(form: DenyRuleForm) -> dict[str, Any]:
        record_hit(Denied(rule.pk, "https://bad.example"), place="order", now=timezone.now())
        return read(form)

    monkeypatch.setattr(DenyRuleForm, "clean", met_meanwhile)
    at_the_admin(sam).post(reverse("admin:accounts_denyrule_change", args=[rule.pk]), {"note": "worse"})

    rule.refresh_from_db()
    assert (rule.note, rule.hits, rule.last_hit_at is not None) == ("worse", 1, True)
