"""Import rules: what a sync takes over, what new services start as, and what comes back when a rule is turned off."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from catalog.models import Category, ImportRule, MarkupRule, Service
from catalog.sync.import_rules import apply_import_rules, apply_import_rules_if_due, preview_import_rule
from catalog.sync.sync_catalog import sync_catalog
from catalog.tasks import apply_rules_to_all
from tests.catalog.syncs import LATER, NOW, QUARTER, stored
from tests.pages import page_words
from tests.storefront.admin_rows import make_service
from upstream.client import Client as Upstream
from upstream.sandbox.process import Sandbox

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
Outcome = ImportRule.Outcome


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def rule(**fields: Any) -> ImportRule:
    return ImportRule.objects.create(**{"outcome": Outcome.LEAVE, **fields})


def on_sale() -> set[int]:
    return set(Service.objects.on_sale().values_list("upstream_id", flat=True))


def of_category(name: str) -> set[int]:
    return set(Service.objects.filter(category__name=name).values_list("upstream_id", flat=True))


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("instagram", "Instagram", True),
        ("instagram", "Instagram Likes", False),
        ("INSTAgram*", "Instagram Likes", True),
        ("*likes", "Instagram Likes", True),
        ("*likes", "Instagram Likes HQ", False),
        ("*in*li*", "Instagram Likes", True),
        ("*li*in*", "Instagram Likes", False),
        ("ab*ba", "aba", False),  # what one part took is not there for the next
        ("(1+1)*", "(1+1) for free", True),
    ],
)
def test_pattern_is_compared_as_it_looks(pattern: str, text: str, fits: bool) -> None:
    service = make_service(1)
    Category.objects.filter(pk=service.category_id).update(name=text)
    rule(category=pattern)

    apply_import_rules()

    assert Service.objects.get().left_out is fits


def test_sync_when_a_rule_leaves_a_category_out_then_it_is_kept_and_not_sold(client_upstream: Upstream) -> None:
    rule(category="instagram")

    run = sync_catalog(client=client_upstream, now=NOW)

    assert run.added == 60
    instagram = of_category("Instagram")
    assert instagram
    assert instagram.isdisjoint(on_sale())
    assert len(on_sale()) == 60 - len(instagram)
    assert set(Service.objects.filter(left_out=True).values_list("upstream_id", flat=True)) == instagram


def test_sync_when_a_service_is_left_out_then_it_is_kept_up_to_date_and_comes_back_so(
    client_upstream: Upstream, sandbox: Sandbox
) -> None:
    left = rule(name="Instagram Followers")
    sync_catalog(client=client_upstream, now=NOW)
    sandbox.set_service(1, rate="0.75")
    sync_catalog(client=client_upstream, now=LATER)

    left.active = False
    left.save(update_fields=["active"])
    effect = apply_import_rules()

    service = Service.objects.get(upstream_id=1)
    assert (effect.back, effect.gone) == (1, 0)
    assert (service.visible, service.left_out, service.rate_upstream_micros) == (True, False, 750_000)


def test_sync_when_a_service_is_renamed_then_the_rules_are_asked_anew(
    client_upstream: Upstream, sandbox: Sandbox, synced: list[tuple]
) -> None:
    rule(name="*telegram bots*")
    sandbox.set_service(1, name="Cheap Telegram Bots")
    sync_catalog(client=client_upstream, now=LATER)
    assert 1 not in on_sale()

    sandbox.set_service(1, name="Fine Followers")
    sync_catalog(client=client_upstream, now=LATER + QUARTER)

    assert 1 in on_sale()


def test_sync_when_rules_stand_and_nothing_changed_then_nothing_is_written(client_upstream: Upstream) -> None:
    rule(category="Instagram")
    sync_catalog(client=client_upstream, now=NOW)
    before = stored()

    run = sync_catalog(client=client_upstream, now=LATER)

    assert (run.status, stored()) == ("unchanged", before)


def test_rules_when_several_match_then_the_first_counts_and_new_services_start_as_it_says(
    client_upstream: Upstream,
) -> None:
    rule(position=1, name="Instagram Followers", outcome=Outcome.HIDDEN)
    rule(position=2, category="Instagram")

    sync_catalog(client=client_upstream, now=NOW)

    first = Service.objects.get(upstream_id=1)
    assert (first.visible, first.left_out) == (False, False)
    assert Service.objects.filter(category__name="Instagram", left_out=False).count() == 1
    Service.objects.filter(pk=first.pk).update(visible=True)  # staff has looked at it
    sync_catalog(client=client_upstream, now=LATER, in_full=True)
    assert 1 in on_sale()


def test_new_category_when_a_rule_has_a_markup_then_it_gets_a_markup_rule_and_is_priced_by_it(
    client_upstream: Upstream, sandbox: Sandbox, synced: list[tuple]
) -> None:
    rule(category="Mast*", outcome=Outcome.TAKE, markup_percent=Decimal(100))
    rule(category="Instagram", outcome=Outcome.TAKE, markup_percent=Decimal(300), position=1)
    sandbox.set_service(1, category="Mastodon")
    added = sandbox.add_service(category="Mastodon", name="Mastodon Followers", rate="2")

    sync_catalog(client=client_upstream, now=LATER)

    made = MarkupRule.objects.get()
    assert (made.category.name, made.percent) == ("Mastodon", Decimal(100))  # Instagram was there already
    assert Service.objects.get(upstream_id=added).selling_rate_micros == 4_000_000


def test_apply_when_staff_had_hidden_a_service_then_no_rule_brings_it_back() -> None:
    hidden, shown = make_service(1), make_service(2)
    Service.objects.filter(pk=hidden.pk).update(visible=False)
    everything = rule()

    assert apply_import_rules().gone == 1
    everything.delete()
    assert apply_import_rules().back == 1

    assert on_sale() == {shown.upstream_id}


def test_preview_when_a_rule_is_not_saved_then_it_says_what_it_would_do_with_as_few_statements() -> None:
    counts = []
    for number in (1, 2, 3):
        make_service(number)
        with CaptureQueriesContext(connection) as captured:
            effect = preview_import_rule(ImportRule(category="Category*", name="*1", outcome=Outcome.LEAVE))
        counts.append(len(captured))

    assert (effect.matching, effect.gone, effect.back, effect.examples) == (1, 1, 0, ["Service 1"])
    assert counts == [3, 3, 3]
    assert len(on_sale()) == 3


def test_preview_when_a_rule_is_changed_then_what_it_left_out_comes_back() -> None:
    make_service(1)
    make_service(2)
    saved = rule(name="Service 1")
    apply_import_rules()

    saved.name = "Service 2"
    effect = preview_import_rule(saved)

    assert (effect.matching, effect.gone, effect.back) == (1, 1, 1)


def form(**fields: Any) -> dict[str, Any]:
    blank = {"category": "", "type": "", "name": "", "markup_percent": "", "position": "0", "outcome": "leave"}
    return {**blank, "active": "on", **fields}


def test_admin_when_a_rule_is_previewed_then_nothing_is_saved_and_saving_says_what_it_did(desk: Client) -> None:
    make_service(1)
    make_service(2)
    add = reverse("admin:catalog_importrule_add")

    words = page_words(desk.post(add, form(name="*1", _preview="1")))
    assert "it is the first rule for 1 No longer sold 1 Sold again 0" in words
    assert not ImportRule.objects.exists()

    saved = desk.post(add, form(name="*1"), follow=True)
    assert "1 service is no longer sold. 0 services are sold again." in page_words(saved)
    assert on_sale() == {2}
    desk.post(reverse("admin:catalog_importrule_delete", args=[ImportRule.objects.get().pk]), {"post": "yes"})
    assert on_sale() == {1, 2}


def test_admin_when_what_a_rule_does_has_changed_since_its_preview_then_it_is_shown_again(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.admin.import_rules.SHOWN_UNASKED_ABOVE", 0)
    make_service(1)
    shield = rule(outcome=Outcome.TAKE)
    add, fields = reverse("admin:catalog_importrule_add"), form(position="1")
    seen = desk.post(add, {**fields, "_preview": "1"}).context["adminform"].form
    shield.delete()

    again = desk.post(add, {**fields, "previewed": seen.fingerprint})

    assert "No longer sold 1" in page_words(again)
    assert (on_sale(), ImportRule.objects.count()) == ({1}, 0)
    desk.post(add, {**fields, "previewed": again.context["adminform"].form.fingerprint})
    assert on_sale() == set()


def test_admin_when_a_rule_is_deleted_then_its_page_says_first_what_changes(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.admin.import_rules.SHOWN_UNASKED_ABOVE", 0)
    make_service(1)
    shield = rule(outcome=Outcome.TAKE)
    rule(position=1)
    page = reverse("admin:catalog_importrule_delete", args=[shield.pk])

    seen = desk.get(page)
    unseen = desk.post(page, {"post": "yes", "previewed": "another"}, follow=True)

    assert "No longer sold 1 Sold again 0 Some of those that change Service 1" in page_words(seen)
    assert "Something has changed since. Nothing has been done yet; look again." in page_words(unseen)
    assert on_sale() == {1}
    desk.post(page, {"post": "yes", "previewed": seen.context["fingerprint"]})
    assert on_sale() == set()


def test_admin_when_rules_are_listed_then_none_is_deleted_without_its_page(desk: Client) -> None:
    rule()

    listed = desk.get(reverse("admin:catalog_importrule_changelist"))

    assert listed.status_code == 200
    assert "delete_selected" not in listed.content.decode()


def test_apply_if_due_when_the_message_of_a_change_was_lost_then_beat_goes_by_the_rules_and_rests(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.admin.import_rules.WHILE_SOMEBODY_WAITS", 0)
    make_service(1)
    assert apply_import_rules_if_due() is None  # there are none

    desk.post(reverse("admin:catalog_importrule_add"), form())
    assert on_sale() == {1}  # left to a worker, who was never told
    apply_rules_to_all()
    assert on_sale() == set()

    with CaptureQueriesContext(connection) as captured:
        assert apply_import_rules_if_due() is None
    assert len(captured) == 2
    ImportRule.objects.update(active=False)
    apply_rules_to_all()
    assert on_sale() == {1}


def test_admin_when_a_left_out_service_is_shown_by_hand_then_it_stays_hidden_and_staff_is_told(desk: Client) -> None:
    service = make_service(1)
    rule()
    apply_import_rules()
    action = {"action": "show", "_selected_action": [service.pk]}

    answer = desk.post(reverse("admin:catalog_service_changelist"), action, follow=True)
    edited = desk.post(reverse("admin:catalog_service_change", args=[service.pk]), {"visible": "on", "position": "0"})

    assert "1 service stays hidden: an import rule leaves it out." in page_words(answer)
    assert "An import rule leaves this service out. Change the rule first." in page_words(edited)
    assert Service.objects.get().left_out


def test_admin_when_staff_hides_a_left_out_service_then_it_stays_hidden_without_the_rule(desk: Client) -> None:
    service = make_service(1)
    everything = rule()
    apply_import_rules()

    desk.post(reverse("admin:catalog_service_changelist"), {"action": "hide", "_selected_action": [service.pk]})
    everything.delete()
    apply_import_rules()

    assert on_sale() == set()


@pytest.mark.parametrize("way", ["action", "form"])
def test_admin_when_what_staff_had_hidden_is_shown_against_a_rule_then_it_stays_hidden(desk: Client, way: str) -> None:
    service = make_service(1)
    Service.objects.filter(pk=service.pk).update(visible=False)
    rule()
    apply_import_rules()
    assert not Service.objects.get().left_out

    if way == "action":
        action = {"action": "show", "_selected_action": [service.pk]}
        said = desk.post(reverse("admin:catalog_service_changelist"), action, follow=True)
        assert "1 service stays hidden: an import rule leaves it out." in page_words(said)
    else:
        page = reverse("admin:catalog_service_change", args=[service.pk])
        said = desk.post(page, {"visible": "on", "position": "0"})
        assert "An import rule leaves this service out." in page_words(said)

    assert on_sale() == set()
