"""The documentation page: complete, the reader's own where it can be, and its programs run."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import playwright
import pytest
import requests
import tree_sitter
import tree_sitter_go
import tree_sitter_php
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from api.docs.errors import FURTHER, OF_DOCUMENT
from api.docs.languages import LANGUAGES
from api.docs.pages import own_ids
from api.docs.samples import EXAMPLES
from api.registry import ACTIONS
from api.test_mode.scenarios import LINK_WORDS, PHONES
from api.webhooks.events import EVENTS
from api.webhooks.signing import signature
from tests.api import world
from tests.pages import markup, page_words, words

NODE = Path(playwright.__file__).parent / "driver" / "node"  # the browser tests bring it along
BODY = '{"id": "1", "event": "order.completed", "data": {"name": "ключ"}}'.encode()
SECRETS = ["whsec_new", "whsec_old"]
CODES = [language.code for language in LANGUAGES]


@pytest.fixture
def shop(ann: User, settings: Any) -> None:
    """The document's shop."""
    settings.DEFAULT_MARKUP_PERCENT = 0
    world.build_world(ann)


# --- The page -------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_guide_when_a_visitor_reads_it_then_everything_the_code_has_is_on_it(client: Client) -> None:
    page = client.get("/api/docs/")

    text = page_words(page)
    assert page.status_code == 200
    for action in ACTIONS.values():
        assert f'id="{action.name}"' in page.content.decode()
        assert words(str(action.description)) in text
        assert all(str(parameter.description) in text for parameter in action.parameters)
    for shown in [*LINK_WORDS, *PHONES, *EVENTS, *(refusal.text for refusal in (*OF_DOCUMENT, *FURTHER))]:
        assert shown in text
    assert all(words(example.answer_text) in text for example in EXAMPLES)
    assert "http://testserver/api/v2" in text
    assert "no-store" in page["Cache-Control"]  # a customer's has their own ids


@pytest.mark.django_db
def test_guide_when_a_customer_reads_it_then_their_own_ids_are_in_the_examples(shop: None, ann: User) -> None:
    client = Client()
    client.force_login(ann)

    page = client.get("/api/docs/")

    assert own_ids(ann) == {"service": "1", "order": str(world.UNSENT), "number": str(world.WAITING), "project": "65"}
    assert f"order={world.UNSENT}" in page.content.decode()
    assert f"order={world.WAITING}" in page.content.decode()


@pytest.mark.django_db
def test_guide_when_somebody_else_reads_it_then_no_id_of_the_customers_is_on_it(shop: None, ben: User) -> None:
    assert own_ids(ben) == {"service": "1", "project": "65"}


@pytest.mark.django_db
@pytest.mark.parametrize(("asked", "chosen"), [("", "curl"), ("?language=go", "go"), ("?language=x", "curl")])
def test_guide_when_a_language_is_in_the_address_then_it_is_chosen(client: Client, asked: str, chosen: str) -> None:
    page = markup(client.get(f"/api/docs/{asked}"))

    assert re.findall(r'value="(\w+)" checked', page) == [chosen]


def test_guide_when_a_language_is_added_then_the_style_sheet_can_show_it() -> None:
    css = (Path(__file__).resolve().parents[3] / "static/css/components/api_docs.css").read_text()

    assert set(re.findall(r'input\[value="(\w+)"\]:checked', css)) == set(CODES) - {"curl"}


# --- Programs that call ---------------------------------------------------------------------------------------------
def run_curl(text: str, folder: Path) -> str:
    """Run the command; where a machine has no curl, send what it says it would."""
    if shutil.which("curl"):
        return run(["sh", "-c", f'curl() {{ command curl -sS "$@"; }}; {text}'])
    parts = shlex.split(text.replace("\\\n", " "))
    given = [parts[at + 1].split("=", 1) for at, part in enumerate(parts) if part in ("-d", "--data-urlencode")]
    return requests.post(parts[3], data=dict(given), timeout=30).text


def run_python(text: str, folder: Path) -> str:
    """Run it and return what it prints, as JSON again."""
    return json.dumps(eval(run([sys.executable, "-c", text])))  # noqa: S307 - what our own example printed


def run_javascript(text: str, folder: Path) -> str:
    """Run it as a module."""
    program = folder / "program.mjs"
    program.write_text(text)
    return run([str(NODE), str(program)])


def run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


RUNNERS = {"curl": run_curl, "python": run_python, "javascript": run_javascript}
ODD = 'first, it\'s "good"\nsecond: 100 % & <b>ключ</b> $HOME + \\n `id`'


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("code", RUNNERS)
def test_programs_when_they_are_run_then_each_gets_what_the_page_says(
    shop: None, live_server: LiveServer, key: str, tmp_path: Path, code: str
) -> None:
    [language] = [language for language in LANGUAGES if language.code == code]
    address = f"{live_server.url}/api/v2"
    told = {"balance", "categories", "inventory", "status", "refill_status", "sms_code"}
    examples = [example for example in EXAMPLES if example.action in told and not example.title]

    for example in examples:
        program = language.call(address, {"key": key, "action": example.action, **example.params})
        assert json.loads(RUNNERS[code](program, tmp_path)) == example.answer


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("code", RUNNERS)
def test_programs_when_a_value_has_odd_characters_then_they_arrive_as_they_are(
    shop: None, live_server: LiveServer, key: str, tmp_path: Path, code: str, ann: User
) -> None:
    [language] = [language for language in LANGUAGES if language.code == code]
    lines = [*ODD.split("\n"), *(f"comment {number}" for number in range(8))]
    params = {"service": "2", "link": "https://x.com/a?b=c&d=%20+e", "quantity": "10", "comments": "\n".join(lines)}

    program = language.call(f"{live_server.url}/api/v2", {"key": key, "action": "add", **params})
    json.loads(RUNNERS[code](program, tmp_path))

    order = world.newest_order(ann)
    assert (order.link, order.comments.splitlines()) == (params["link"], lines)


@pytest.mark.parametrize("language", LANGUAGES, ids=CODES)
def test_programs_when_they_are_written_then_every_value_is_in_them(language: Any) -> None:
    program = language.call("https://shop.example/api/v2", {"key": "K", "action": "add", "link": 'it\'s "a" \\ b'})

    written = {
        "curl": "'link=it'\"'\"'s \"a\" \\ b'",
        "php": "'link' => 'it\\'s \"a\" \\\\ b'",
    }.get(language.code, '"it\'s \\"a\\" \\\\ b"')
    assert written in program


GRAMMARS = {"go": tree_sitter_go.language, "php": tree_sitter_php.language_php}


@pytest.mark.parametrize("code", GRAMMARS)
def test_programs_when_no_test_can_run_them_then_their_grammar_reads_them(code: str) -> None:
    [language] = [language for language in LANGUAGES if language.code == code]
    parser = tree_sitter.Parser(tree_sitter.Language(GRAMMARS[code]()))
    calls = [{"key": "K", "action": example.action, **example.params} for example in EXAMPLES]
    programs = [language.call("https://shop.example/api/v2", {**asked, "comments": ODD}) for asked in calls]

    for program in [*programs, language.proof]:
        assert not parser.parse(program.encode()).root_node.has_error
        assert parser.parse(program.replace(")", "", 1).encode()).root_node.has_error


# --- Receivers ------------------------------------------------------------------------------------------------------
def proves(code: str, header: str, body: bytes, secret: str, folder: Path) -> bool:
    """Ask the page's own receiver whether a message is ours."""
    [proof] = [language.proof for language in LANGUAGES if language.code == code]
    if code == "python":
        known: dict[str, Any] = {}
        exec(proof, known)  # noqa: S102 - our own example
        return known["is_ours"](header, body, secret)
    if code == "javascript":
        (folder / "proof.mjs").write_text(proof)
        told = json.dumps([header, body.decode(), secret])
        asking = (
            f'import {{ isOurs }} from "{folder}/proof.mjs";'
            f"const [header, body, secret] = {told}; console.log(isOurs(header, Buffer.from(body), secret));"
        )
        return json.loads(run_javascript(asking, folder))
    (folder / "body.json").write_bytes(body)
    parts = [part.split("=", 1) for part in header.split(",")]
    values = f"t={dict(parts)['t']}; v1={next(value for name, value in parts if name == 'v1')}; secret={secret}"
    return "It is ours." in run(["sh", "-c", f"cd {folder}; {values}; {proof} || true"])


@pytest.mark.parametrize("code", ["python", "javascript", "curl"])
def test_receivers_when_a_message_is_ours_then_they_accept_it_and_no_other(tmp_path: Path, code: str) -> None:
    if code == "curl" and not shutil.which("openssl"):
        pytest.fail("openssl is needed to check the page's example for a shell")
    header = signature(BODY, SECRETS, timezone.now())

    assert proves(code, header, BODY, "whsec_new", tmp_path)
    assert not proves(code, header, BODY + b" ", "whsec_new", tmp_path)
    assert not proves(code, header, BODY, "whsec_other", tmp_path)


@pytest.mark.parametrize("code", ["python", "javascript"])
def test_receivers_when_a_message_is_old_garbled_or_signed_twice_then_they_know(tmp_path: Path, code: str) -> None:
    old = signature(BODY, SECRETS, timezone.now() - timedelta(minutes=6))

    assert proves(code, signature(BODY, SECRETS, timezone.now()), BODY, "whsec_old", tmp_path)
    for header in (old, "", "t=,v1=", "t=x,v1=é", "v1=00", old.replace("t=", "t=9")):
        assert not proves(code, header, BODY, "whsec_new", tmp_path)
