"""What upstream answers about numbers and does not mean: codes that are none, times in every form, bad rows."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import SyncRun
from orders.models import ContractDrift, Order, Status
from sms.models import Number, Project
from sms.sync import sync_sms
from wallet.models import Wallet

pytestmark = pytest.mark.django_db(transaction=True)


# --- Codes ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("word", "nothing"),
    [
        *(("waiting", nothing) for nothing in (0, "0", "null", "None", "N/A", "-", "undefined", "", False, "\u200b")),
        *((word, "123456") for word in ("waiting", "active", "PENDING", "waiting_for_code", "in progress")),
    ],
)
def test_a_number_that_waits_has_no_code_whatever_stands_in_its_place(waiting_number, sandbox, poll, word, nothing):
    for action in ("sms_status", "sms_code"):
        said = {"status": word, "code": nothing, "sms_content": "Soon", "charge": "0.5", "currency": "USD"}
        sandbox.fail_next("garbage", action=action, text=json.dumps(said))
    poll(seconds=5)
    assert Order.objects.get().status == Status.PENDING
    sandbox.clear_faults()

    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")
    poll(minutes=3)

    assert (Order.objects.get().status, Number.objects.get().code) == (Status.COMPLETED, "482913")


@pytest.mark.parametrize("nothing", [0, "0", "null", "None", "N/A", "-", "undefined", "a/b", "x" * 10_000, None, []])
def test_a_code_that_is_none_does_not_complete_a_number(waiting_number, sandbox, poll, nothing, ann):
    before = Wallet.objects.get(user=ann).balance_micros
    for action in ("sms_status", "sms_code"):
        sandbox.fail_next("garbage", action=action, text=json.dumps({"status": "code_received", "code": nothing}))
    poll(seconds=5)

    assert (Order.objects.get().status, Number.objects.get().code) == (Status.PENDING, "")
    sandbox.clear_faults()
    sandbox.set_number(waiting_number.upstream_id, status="expired")
    poll(hours=2)
    assert Order.objects.get().status == Status.CANCELED
    assert Wallet.objects.get(user=ann).balance_micros > before


# --- Times ----------------------------------------------------------------------------------------------------------
FAR = ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2090-01-01T00:00:00Z", 10**30, -1, "1e999"]
NULL_LIKE = [None, "", "null", "0", 0, "0000-00-00 00:00:00", "never", [], {}, True, "N/A"]
PAST = ["2023-01-01T12:00:00.000Z", "2023-01-01 12:00:00", 1672574400, "1672574400000", "1796"]


@pytest.mark.parametrize("told", [*FAR, *NULL_LIKE, *PAST], ids=str)
def test_an_expiry_that_cannot_be_meant_is_not_told(waiting_number, sandbox, poll, told, settings):
    said = {"status": "waiting", "charge": "0.5", "currency": "USD", "expires_at": told}
    sandbox.fail_next("garbage", action="sms_status", text=json.dumps(said))
    poll(seconds=5)
    assert (Order.objects.get().status, Number.objects.get().expires_at) == (Status.PENDING, None)

    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")
    poll(seconds=settings.SMS_LIFETIME_SECONDS - 60)

    assert Number.objects.get().code == "482913"


@pytest.mark.parametrize(
    "form",
    [
        lambda moment: int(moment.timestamp() * 1000),
        lambda moment: str(int(moment.timestamp())),
        lambda moment: int(moment.timestamp() * 1_000_000),
        lambda moment: moment.isoformat(),
        lambda moment: moment.replace(tzinfo=None).isoformat(),
    ],
    ids=["milliseconds", "seconds", "microseconds", "zone", "no zone"],
)
def test_an_expiry_in_any_form_counts(waiting_number, sandbox, poll, form):
    moment = (timezone.now() + timedelta(minutes=10)).replace(microsecond=0)
    said = {"status": "waiting", "charge": "0.5", "currency": "USD", "expires_at": form(moment)}
    sandbox.fail_next("garbage", action="sms_status", text=json.dumps(said))

    poll(seconds=5)

    assert Number.objects.get().expires_at == moment


# --- The sync -------------------------------------------------------------------------------------------------------
def project(**fields: Any) -> dict[str, Any]:
    usual = {"project_id": "p1", "name": "Telegram", "price": "0.50", "country_id": "us", "country_title": "USA"}
    return {**usual, **fields}


NEIGHBORS = [project(project_id=f"n{number}") for number in range(40)]


def sync_of(sandbox: Any, client: Any, *rows: Any) -> SyncRun:
    sandbox.fail_next("garbage", action="sms_projects", text=json.dumps([*rows, *NEIGHBORS]))
    return sync_sms(client=client)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"price": "0,50"}, "price"),
        ({"price": None}, "price"),
        ({"price": "0"}, "price"),
        ({"price": "-1"}, "price"),
        ({"price": "1_000"}, "price"),
        ({"name": ""}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"name": "x" * 10_000}, "name"),
        ({"country_title": "x" * 10_000}, "country_title"),
        ({"country_id": "x" * 10_000}, "country_id"),
        ({"country_id": "u\u0000s"}, "country_id"),
        ({"country_id": []}, "country_id"),
    ],
)
def test_sync_sms_names_a_bad_row_and_leaves_it_as_it_was(db, sandbox, client_upstream, fields, field):
    sync_of(sandbox, client_upstream, project())
    before = Project.objects.values().get(upstream_id="p1")

    for _each in range(3):
        run = sync_of(sandbox, client_upstream, project(**fields))

    assert run.status == SyncRun.Status.UNCHANGED
    assert [(row["service"], row["field"]) for row in run.set_aside] == [("p1", field)]
    assert Project.objects.values().get(upstream_id="p1") == before
    assert Project.objects.filter(withdrawn_at=None).count() == len(NEIGHBORS) + 1
    drift = ContractDrift.objects.get(subject="set_aside")
    assert (drift.text, drift.times, drift.sample["row"]) == (f"sms_projects: {field}", 3, "p1")


@pytest.mark.parametrize("prices", [["0.90", "0.20"], ["0.20", "0.90"], ["0.20", "0.90", "0.50"]])
def test_sync_sms_when_a_project_is_listed_more_than_once_takes_the_dearest_and_names_it(
    db, sandbox, client_upstream, prices
):
    run = sync_of(sandbox, client_upstream, *(project(price=price) for price in prices))

    assert Project.objects.get(upstream_id="p1").price_upstream_micros == 900_000
    assert {(row["service"], row["field"]) for row in run.set_aside} == {("p1", "project_id")}
    assert "is listed twice" in run.set_aside[0]["problem"]


def test_sync_sms_when_a_row_names_no_project_goes_on_with_the_others(db, sandbox, client_upstream, settings):
    settings.SYNC_MAX_SET_ASIDE_PERCENT = 20
    run = sync_of(sandbox, client_upstream, None, 5, [], {}, project(project_id="x" * 65), project(project_id="a b\n"))

    assert run.status == SyncRun.Status.APPLIED
    assert len(run.set_aside) == 5
    assert Project.objects.filter(upstream_id="a b").exists()
    assert Project.objects.count() == len(NEIGHBORS) + 1


def test_sync_sms_when_countries_are_odd_names_them(db, sandbox, client_upstream):
    rows = [None, {"country_code": "us"}, {"country_code": "gb", "country_name": "x" * 101}]
    sandbox.fail_next(
        "garbage", action="sms_countries", text=json.dumps([*rows, {"country_code": "us", "country_name": "USA"}])
    )

    run = sync_of(sandbox, client_upstream, project())

    assert [(row["service"], row["field"]) for row in run.set_aside] == [
        ("countries: row 1", "country_code"),
        ("countries: us", "country_name"),
        ("countries: gb", "country_name"),
    ]


def test_sync_sms_when_the_same_row_comes_twice_names_it_and_goes_on(db, sandbox, client_upstream, settings):
    settings.SYNC_MAX_SET_ASIDE_PERCENT = 0

    run = sync_of(sandbox, client_upstream, project(), project(), project())

    assert run.status == SyncRun.Status.APPLIED
    assert Project.objects.count() == len(NEIGHBORS) + 1
    assert [(row["service"], row["problem"]) for row in run.set_aside] == [("p1", "is listed twice")] * 2
