"""What a customer chose: by which channels news of which kind come, and the page where they say so."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from notifications import channels, outbox
from notifications.channels.bell.news import count_unread
from notifications.channels.channel import Channel
from notifications.channels.mail.channel import MAIL as MAIL_CHANNEL
from notifications.choices import choices_of, choose, turned_off
from notifications.kinds import BELL, KINDS, MAIL, ORDERS, PRICES, SECURITY, STOCK, TERMS
from notifications.models import Notice, NoticeChoice
from notifications.outbox import NotOurPath, send_notices, tell_customer, write_notices
from notifications.samples import samples, told_kinds
from tests.conftest import customer

pytestmark = pytest.mark.django_db
ADDRESS = "/account/notices/"
ELSEWHERE = ("https://evil.example", "//evil.example", "/\\evil.example", "orders/", "/x\ny", "javascript:1")


def ways(key: str = "k") -> list[tuple[str, bool, bool]]:
    """By which channel each row of a notice goes, whether it is in the bell, and whether it waits to be sent."""
    rows = Notice.objects.filter(key__startswith=key).order_by("id")
    return [(row.channel, row.in_bell, row.sent_at is None) for row in rows]


# --- Where news go ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, [(MAIL, True, True)]),
        ({(ORDERS, BELL): False}, [(MAIL, False, True)]),
        ({(ORDERS, MAIL): False}, [(BELL, True, False)]),
        ({(ORDERS, MAIL): False, (ORDERS, BELL): False}, []),
        ({(STOCK, MAIL): False, (STOCK, BELL): False}, [(MAIL, True, True)]),  # another kind
    ],
)
def test_tell_customer_when_channels_were_chosen_then_it_goes_by_these(ann, ben, chosen, expected) -> None:
    choose(ann, chosen)
    choose(ben, {(ORDERS, BELL): False})

    tell_customer(ann, "k", "Subject", "Body", kind=ORDERS)

    assert ways() == expected


def test_tell_customer_when_nothing_was_chosen_then_each_kind_comes_as_it_is_declared(ann: User, monkeypatch) -> None:
    monkeypatch.setitem(KINDS, STOCK, replace(KINDS[STOCK], by_default=frozenset({BELL})))
    for kind in (ORDERS, PRICES, STOCK):
        tell_customer(ann, kind, "Subject", "Body", kind=kind)

    assert (ways(ORDERS), ways(PRICES), ways(STOCK)) == ([(MAIL, True, True)], [], [(BELL, True, False)])


def test_every_kind_is_told_by_somebody() -> None:
    assert told_kinds() == list(KINDS.values())


def test_tell_customer_when_only_the_bell_is_wanted_then_nobody_is_mailed_and_no_hour_is_used_up(ann: User) -> None:
    choose(ann, {(ORDERS, MAIL): False})
    now = timezone.now()
    for number in range(10):
        tell_customer(ann, f"k{number}", "Subject", "Body", now - timedelta(minutes=number))
    assert send_notices(now=now) == 0

    choose(ann, {(ORDERS, MAIL): True})
    tell_customer(ann, "mailed", "Subject", "Body", now)

    assert send_notices(now=now) == 1
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("url", ELSEWHERE)
def test_tell_customer_when_it_leads_elsewhere_then_it_is_refused(ann: User, url: str) -> None:
    with pytest.raises(NotOurPath):
        tell_customer(ann, "k", "Subject", "Body", url=url)

    assert not Notice.objects.exists()


def test_write_notices_for_many_customers_then_it_takes_two_statements(ann, ben, django_assert_num_queries) -> None:
    choose(ben, {(ORDERS, MAIL): False})
    people = [ann, ben, *(customer(f"c{number}@example.com") for number in range(5))]
    news = [Notice(user=one, key=f"k{one.pk}", kind=ORDERS, subject="s", body="b") for one in people]

    with django_assert_num_queries(2):
        write_notices(news)

    assert Notice.objects.filter(channel=MAIL).count() == 6
    assert Notice.objects.get(channel=BELL).user == ben


def test_send_notices_when_a_kind_was_turned_off_meanwhile_then_the_others_leave(ann: User) -> None:
    tell_customer(ann, "orders", "About orders", "Body", kind=ORDERS)
    tell_customer(ann, "stock", "About stock", "Body", kind=STOCK)
    choose(ann, {(ORDERS, MAIL): False})

    assert send_notices() == 1

    assert mail.outbox[0].subject == "Storefront: About stock"
    assert count_unread(ann, now=timezone.now()) == 2


# --- Another channel --------------------------------------------------------------------------------------------------
def test_another_channel_when_it_is_chosen_then_the_same_news_leave_by_both_once(ann, monkeypatch) -> None:
    sent: list[list[str]] = []

    class Paper:
        def send(self, user: Any, notices: Any) -> None:
            sent.append([notice.subject for notice in notices])

        def close(self) -> None:
            pass

    paper: Channel = replace(MAIL_CHANNEL, name="paper", open_line=Paper)
    for module in (channels, outbox):
        monkeypatch.setattr(module, "CHANNELS", (*channels.CHANNELS, paper))
    tell_customer(ann, "before", "Before", "Body")
    choose(ann, {(ORDERS, "paper"): True})
    for _twice in range(2):
        tell_customer(ann, "k", "Subject", "Body")

    assert ways() == [(MAIL, True, True), ("paper", False, True)]
    assert send_notices() == 2
    assert send_notices() == 0
    assert (len(mail.outbox), sent) == (1, [["Subject"]])
    assert count_unread(ann, now=timezone.now()) == 2


# --- The page ---------------------------------------------------------------------------------------------------------
def test_choices_page_when_boxes_are_changed_then_that_is_kept(shop: Client, ann: User, ben: User) -> None:
    page = shop.get(ADDRESS).content.decode()
    told = {sample.kind for sample in samples()}
    for kind in KINDS:
        for channel in (MAIL, BELL):
            assert (f'name="{kind}.{channel}"' in page) is (kind in told - {SECURITY, TERMS})

    posted = {f"{kind}.{channel}": "on" for kind in told for channel in (MAIL, BELL)}
    del posted["orders.mail"]
    for _double in range(2):
        answer = shop.post(ADDRESS, posted)
        assert (answer.status_code, answer["Location"]) == (302, ADDRESS)

    said = choices_of([ann.pk])[ann.pk]
    assert told & set(turned_off(MAIL, said)) == {ORDERS}
    assert SECURITY in turned_off(BELL, said)  # which comes by mail, always
    assert not told & set(turned_off(BELL, said)) - {SECURITY}
    assert not NoticeChoice.objects.filter(kind=SECURITY).exists()
    assert not NoticeChoice.objects.filter(user=ben).exists()


def test_choices_page_when_everything_is_unticked_then_only_what_always_comes_stays(shop: Client, ann: User) -> None:
    shop.post(ADDRESS, {"security.mail": "", "nonsense.mail": "on", "orders.fax": "on"})

    said = choices_of([ann.pk])[ann.pk]
    assert {sample.kind for sample in samples()} - set(turned_off(MAIL, said)) == {SECURITY, TERMS}
    assert set(NoticeChoice.objects.values_list("channel", flat=True)) == {MAIL, BELL}
    assert not NoticeChoice.objects.filter(kind__in=("nonsense", SECURITY)).exists()


def test_choose_when_it_is_security_then_nothing_is_kept(ann: User) -> None:
    choose(ann, {(SECURITY, MAIL): False})

    assert not NoticeChoice.objects.exists()


# --- What was chosen before there were kinds --------------------------------------------------------------------------
def test_migration_when_mails_had_been_chosen_then_the_choice_holds_on(ann: User, ben: User) -> None:
    from importlib import import_module

    from django.apps import apps

    carol = customer("carol@example.com")
    User.objects.filter(pk=ann.pk).update(wants_mail=False)
    User.objects.filter(pk=ben.pk).update(wants_price_mail=True)
    migration = import_module("notifications.migrations.0008_what_customers_chose")

    for _again in range(2):
        migration.carry_over(apps, connection.schema_editor())

    said = choices_of([ann.pk, ben.pk, carol.pk])
    assert said[ann.pk] == {(kind, MAIL): False for kind in ("orders", "numbers", "goods", "answers")}
    assert said[ben.pk] == {(PRICES, MAIL): True}
    assert carol.pk not in said
