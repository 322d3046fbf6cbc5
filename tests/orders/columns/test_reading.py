"""Lines of goods as they are really written, and hostile ones: read surely or shown whole, no character less."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orders.columns.formats import Format, FormatRefused, Source, declared_formats, read_format
from orders.columns.guess import guess_format
from orders.columns.names import is_secret, label_of
from orders.columns.reading import Whole, read_labeled, read_line

MAIL = read_format("login:password:email:email_password")
COOKIES = '[{"domain": ".x.com", "name": "a:b|c", "value": "1;2"}]'
NETSCAPE = ".x.com\tTRUE\n.y.com\tTRUE"
AGENT = "Mozilla/5.0 (X11; Linux x86_64)"


def read(written: str, line: str, separator: str = ""):
    found = read_line(read_format(written, separator), line)
    return found if isinstance(found, Whole) else list(found.values())


@pytest.mark.parametrize(
    ("written", "line", "values"),
    [
        ("login:password", "rosa:pass", ["rosa", "pass"]),
        ("login:password", "rosa:pa:ss", ["rosa", "pa:ss"]),
        ("login:password", "rosa : pass ", ["rosa", "pass"]),
        ("login|password|email", "rosa | pass | r@example.com", ["rosa", "pass", "r@example.com"]),
        ("login;password;2fa", "rosa;pass;JBSWY3DPEHPK3PXP", ["rosa", "pass", "JBSWY3DPEHPK3PXP"]),
        ("login:password:2fa", "rosa:pa:ss:JBSWY3DPEHPK3PXP", ["rosa", "pa:ss", "JBSWY3DPEHPK3PXP"]),
        ("login\\tpassword", "rosa\tpa ss", ["rosa", "pa ss"]),
        ("login----password----token", "rosa----pa--ss----abcdefgh", ["rosa", "pa--ss", "abcdefgh"]),
        ("login:password|cookies", f"rosa:pass|{COOKIES}", ["rosa", "pass", COOKIES]),
        ("login:password:cookies", f"rosa:pass:{COOKIES}", ["rosa", "pass", COOKIES]),
        ("login:password:cookies:note", f"rosa:pass:{COOKIES}:bye", ["rosa", "pass", COOKIES, "bye"]),
        ("login:password:cookies", f"rosa:pass:{NETSCAPE}", ["rosa", "pass", NETSCAPE]),
        ("login:password:url", "rosa:pass:https://x.com/p", ["rosa", "pass", "https://x.com/p"]),
        ("url|login|password", "https://x.com:8080/a|rosa|p|w", ["https://x.com:8080/a", "rosa", "p|w"]),
        ("login:password:user agent", f"rosa:pass:{AGENT}", ["rosa", "pass", AGENT]),
        ("login:password:email:email_password", "rosa:p:-:", ["rosa", "p", "-", ""]),
        ("login:password:email:email_password", "rosa:p:w:r@x.org:e:p", ["rosa", "p:w", "r@x.org", "e:p"]),
        ("key", " AAAA-BBBB ", ["AAAA-BBBB"]),
        ("login:password", "<script>:=cmd|' /C calc'!A0", ["<script>", "=cmd|' /C calc'!A0"]),
    ],
)  # fmt: skip
def test_line_that_fits_is_read(written, line, values):
    assert read(written, line) == values


@pytest.mark.parametrize(
    ("written", "line", "why"),
    [
        ("login:password:email", "rosa:pass", Whole.FEWER),
        ("login:password:email", "rosa:pass:nothing like it", Whole.UNLIKE),
        ("login:password:email", "rosa:r@x.org:pass", Whole.UNLIKE),
        ("login:password", "", Whole.FEWER),
        ("login:password", "rosa:pass\nida:word", Whole.UNLIKE),  # two accounts in one
        ("login:password:cookies", "rosa:pa:ss:a=1", Whole.SEVERAL_WAYS),
        # Another column than the format knows of is no part of the password.
        ("email:password", "r@x.org:pass:spare@x.org", Whole.UNLIKE),
        ("login:password", "a:" * 100, Whole.SEVERAL_WAYS),
        ("login:password", "a:" + "b" * 300_000, Whole.TOO_LONG),
    ],
)
def test_line_that_does_not_fit_or_fits_in_two_ways_stays_whole(written, line, why):
    assert read(written, line) == why


def test_separator_of_the_lines_may_be_another_than_in_the_columns():
    assert read("login:password:e-mail", "rosa|pa:ss|r@x.org", "|") == ["rosa", "pa:ss", "r@x.org"]
    assert read("login:password", "rosa\tpass", "\\t") == ["rosa", "pass"]
    assert read("login password".replace(" ", " ~~ "), "rosa~~pass", "~~") == ["rosa", "pass"]


@pytest.mark.parametrize(
    ("written", "columns"),
    [
        ("log:pass:mail:mailpass:2fa", ("login", "password", "email", "email_password", "two_factor")),
        ("Логин:Пароль:Почта:Пароль почты", ("login", "password", "email", "email_password")),
        ("login:pass:email:pass", ("login", "password", "email", "email_password")),
        ("mail:pass:mail:pass", ("email", "password", "recovery_email", "recovery_password")),
        ("login:pass:PIN:PIN", ("login", "password", "PIN", "PIN 2")),
        ("login : e-mail | User Agent", ("login", "email", "user_agent")),
    ],
)
def test_words_of_a_format_are_known_columns_or_their_own(written, columns):
    assert read_format(written).columns == columns


@pytest.mark.parametrize("written", ["", ":", "login:", ":pass", ":".join("abcdefghijklmnopqrstuv"), "x" * 41])
def test_format_that_says_nothing_is_refused(written):
    with pytest.raises(FormatRefused):
        read_format(written)


@pytest.mark.parametrize(
    ("text", "columns", "separator"),
    [
        ("Gmail 2019 | Format: login:pass:recovery | USA", ("login", "password", "recovery"), ":"),
        ("Аккаунты, формат: логин;пароль;почта", ("login", "password", "email"), ";"),
        ("Old accounts login:pass:2fa, 30 days", ("login", "password", "two_factor"), ":"),
        ("Format - login | pass | mail", ("login", "password", "email"), "|"),
        ("What you get\nFormat of the lines: email:pass:cookies\nThanks", ("email", "password", "cookies"), ":"),
    ],
)
def test_format_that_a_title_or_a_description_tells_is_found(text, columns, separator):
    found = next(declared_formats(text))

    assert (found.columns, set(found.separators), found.source) == (columns, {separator}, Source.DECLARED)


@pytest.mark.parametrize("text", ["Followers | Max 10K | Start: 0-1 hour", "Ratio 16:9, format: wide", "", "a:b:c"])
def test_text_that_tells_no_format_tells_none(text):
    assert list(declared_formats(text)) == []


@pytest.mark.parametrize(
    ("lines", "columns"),
    [
        (["r@x.org:pass", "i@x.org:word"], ("email", "password")),
        (["r@x.org|pass|s@x.org"], ("email", "password", "recovery_email")),
        (["rosa;pass;r@x.org;word"], ("login", "password", "email", "email_password")),
        (["rosa----pass----JBSWY3DPEHPK3PXP", "ida----word----GEZDGNBVGY3TQOJQ"], ("login", "password", "two_factor")),
        ([f"rosa\tpass\t{COOKIES}"], ("login", "password", "cookies")),
        (["rosa:pass:blue", "ida:word:+15551234567"], ("login", "password", "field 3")),
        (["AAAAA-BBBBB-CCCCC", "DDDDD-EEEEE-FFFFF"], ("key",)),
        (["https://example.com/gift?code=1"], ("url",)),
        # Of three lines one is another: it stays whole.
        (["rosa:pass", "ida:word", "see the mail"], ("login", "password")),
    ],
)
def test_format_is_guessed_where_the_lines_speak_for_it(lines, columns):
    guess = guess_format(lines)

    assert guess is not None
    assert (guess.columns, guess.source) == (columns, Source.GUESS)


@pytest.mark.parametrize(
    "lines",
    [[], [""], ["hello there: see the mail"], ["1,000"], ["rosa:pass", "just words"], [COOKIES], ["https://x.com/a:b"]],
)
def test_format_is_not_guessed_from_anything(lines):
    assert getattr(guess_format(lines), "columns", ()) in ((), ("url",))


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ("Login: rosa\nPassword: pa:ss\n", {"login": "rosa", "password": "pa:ss"}),
        ("Логин: rosa | Пароль: x | Почта: r@x.org", {"login": "rosa", "password": "x", "email": "r@x.org"}),
        ('{"login": "rosa", "password": "x", "id": 7}', {"login": "rosa", "password": "x", "profile_id": "7"}),
        ("login:pass", None),
        ("Dear customer: hello\nThanks: bye", None),
        ('{"domain": "x.com", "name": "a", "value": "1"}', None),  # a cookie
        ("{" * 5000, None),
        ('{"login": "rosa", "password": "\\ud800x"}', None),  # half a character, which no page can show
        ('{"login": "rosa", "password": "\\ud83d\\ude00"}', {"login": "rosa", "password": "😀"}),
    ],
)
def test_goods_that_name_their_values_are_read_by_these_names(raw, values):
    assert read_labeled(raw) == values


def test_everything_that_could_be_used_by_who_looks_over_a_shoulder_is_secret():
    shown = [column for column in ("login", "email", "email 2", "phone", "url", "country") if is_secret(column)]
    secrets = ["password", "cookies", "two_factor", "key", "PIN", "field 3", "email pin", "phone code", "note 2fa"]
    masked = [column for column in secrets if is_secret(column)]

    assert shown == []
    assert masked == secrets
    assert [label_of(column) for column in ("two_factor", "field 3", "PIN", "email 2")] == [
        *("2FA secret", "Field 3", "PIN", "Email 2")
    ]


ALPHABET = "ab1@.:|;,\t\n\r -=+{}[]\"'<>&é\u202e\u200b"
VALUES = st.one_of(
    st.text(alphabet=ALPHABET, max_size=12),
    st.sampled_from(["rosa", "r@x.org", "https://x.com/a:b", COOKIES, "JBSWY3DPEHPK3PXP", "=1+1", ""]),
)
COLUMNS = st.sampled_from(["login", "password", "email", "cookies", "url", "two_factor", "key", "x"])
FORMATS = st.builds(
    lambda columns, separator: Format(tuple(columns), (), Source.STAFF).parted_by(separator),
    st.lists(COLUMNS, min_size=1, max_size=5, unique=True),
    st.sampled_from([":", "|", ";", "\t", "----", ","]),
)


@settings(max_examples=400, deadline=None)
@example(MAIL, ["rosa", "p:w", "r@x.org", ":"])
@given(FORMATS, st.lists(VALUES, min_size=1, max_size=7))
def test_whatever_a_line_is_nothing_of_it_is_lost_but_separators_and_blanks(format_, values):
    raw = (format_.separators[0] if format_.separators else ":").join(values)

    found = read_line(format_, raw)

    if not isinstance(found, Whole):
        assert tuple(found) == format_.columns
        place, left = 0, ""
        for value in found.values():
            begins = raw.index(value, place)
            left += raw[place:begins]
            place = begins + len(value)
        left += raw[place:]
        for separator in format_.separators:
            left = left.replace(separator, "", 1)
        assert left.strip() == ""


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(VALUES, min_size=1, max_size=5).map(":".join), max_size=4))
def test_whatever_lines_there_are_guessing_and_labels_fall_over_none(lines):
    guess_format(lines)
    for line in lines:
        list(declared_formats(line))
        for value in (read_labeled(line) or {}).values():
            assert value in line or line.lstrip().startswith("{")


@pytest.mark.parametrize(
    "hostile",
    [
        *("[" * 200_000, "{" * 100_000 + ":a", " " * 190_000 + ":", "a:" * 100_000, "Login:" + " " * 190_000 + "x"),
        *("x@" * 9_000 + ":a:b:c:d:e", ":".join("abcdefghijklmnop") + "b" * 19_000, "[" + "1," * 90_000),
    ],
    ids=range(8),
)
def test_hostile_line_takes_no_longer_than_any_other(hostile):
    began = time.process_time()

    read_line(read_format("login:password:email:url:phone:token"), hostile)
    read_labeled(hostile)
    guess_format([hostile])
    list(declared_formats(hostile))

    assert time.process_time() - began < 1
