"""How long things are kept follows what the owner sets: rows go sooner, and the shop's texts say so."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import ApiKeySpending, User
from catalog.models import Service, ServiceChange, SyncRun
from notifications.models import Notice
from orders.lifecycle.goods import keep_goods, reveal_all
from orders.models import GoodsReveal
from preferences import keeping
from preferences.change import Disagree
from preferences.registry import Preference
from privacy.models import AccountDeletion
from sms.models import Country, Number, Project
from sms.operations import wipe_contents
from storefront.retention import forget_old_rows
from support.documents.words import filled
from tests.catalog.listing_rows import put_on_sale
from tests.preferences.known import prefer
from tests.storefront.admin_rows import make_order
from wallet.models import GatewayEvent

pytestmark = pytest.mark.django_db
NOW = timezone.now()
OLD = NOW - timedelta(days=25)
Outcome = GatewayEvent.Outcome


def notices(ann: User, _service: Service) -> Callable[[], int]:
    Notice.objects.create(user=ann, key="k", subject="s", body="", created_at=OLD, sent_at=OLD)
    return Notice.objects.count


def looks(ann: User, service: Service) -> Callable[[], int]:
    order = make_order(ann, service=service, status="completed")
    keep_goods(order, ["a"], OLD)
    reveal_all([order], user=ann, address="203.0.113.9", now=OLD)
    return GoodsReveal.objects.count


def addresses(ann: User, service: Service) -> Callable[[], int]:
    looks(ann, service)
    return GoodsReveal.objects.exclude(address=None).count


def events(outcome: str) -> Callable[[User, Service], Callable[[], int]]:
    def made(_ann: User, _service: Service) -> Callable[[], int]:
        GatewayEvent.objects.create(gateway="demo", outcome=outcome, created_at=OLD)
        return GatewayEvent.objects.count

    return made


def syncs(_ann: User, service: Service) -> Callable[[], int]:
    for _run in range(2):  # the newest of each kind stays
        run = SyncRun.objects.create(kind="catalog", status=SyncRun.Status.APPLIED, started_at=OLD, finished_at=OLD)
    ServiceChange.objects.create(run=SyncRun.objects.order_by("pk").first(), service=service, kind="added")
    assert run
    return SyncRun.objects.count


def spending(ann: User, _service: Service) -> Callable[[], int]:
    key, _text = create_api_key(user=ann, name="k")
    ApiKeySpending.objects.create(key=key, day=OLD.date(), spent_micros=1)
    return ApiKeySpending.objects.count


@pytest.mark.parametrize(
    ("preference", "made"),
    [
        (keeping.NOTICES_KEPT, notices),
        (keeping.GOODS_LOOKS_KEPT, looks),
        (keeping.LOOK_ADDRESSES_KEPT, addresses),
        (keeping.GATEWAY_EVENTS_KEPT, events(Outcome.IGNORED)),
        (keeping.REFUSED_CALLBACKS_KEPT, events(Outcome.REFUSED)),
        (keeping.SYNC_DETAILS_KEPT, syncs),
        (keeping.KEY_SPENDING_KEPT, spending),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_rows_go_once_they_are_older_than_was_set(
    ann: User, preference: Preference[Any], made: Callable[[User, Service], Callable[[], int]]
) -> None:
    count = made(ann, put_on_sale("Followers"))
    before = count()
    forget_old_rows(now=NOW)
    assert count() == before > 0

    prefer(preference, timedelta(days=20))
    forget_old_rows(now=NOW)

    assert count() == before - 1


def test_codes_go_once_they_are_older_than_was_set(ann: User) -> None:
    country = Country.objects.create(code="ru", name="Russia")
    project = Project.objects.create(upstream_id="1", country=country, name="Mail", price_upstream_micros=500_000)
    order = make_order(ann)
    number = Number.objects.create(order=order, project=project, created_at=OLD, received_at=OLD, code="123456")
    assert wipe_contents(now=NOW) == 0

    prefer(keeping.CODES_KEPT, timedelta(days=20))

    assert wipe_contents(now=NOW) == 1
    number.refresh_from_db()
    assert number.code == ""


@pytest.mark.parametrize(
    ("word", "preference"),
    [
        ("code_days", keeping.CODES_KEPT),
        ("deletion_days", keeping.DELETION_DELAY),
        ("export_days", keeping.EXPORTS_KEPT),
        ("request_id_days", keeping.REQUEST_IDS_KEPT),
        ("webhook_days", keeping.WEBHOOKS_KEPT),
        ("mail_days", keeping.NOTICES_KEPT),
        ("look_days", keeping.GOODS_LOOKS_KEPT),
        ("look_address_days", keeping.LOOK_ADDRESSES_KEPT),
        ("payment_event_days", keeping.GATEWAY_EVENTS_KEPT),
        ("attachment_days", keeping.ATTACHMENTS_KEPT),
    ],
)
def test_texts_of_the_shop_say_what_was_set(word: str, preference: Preference[Any]) -> None:
    prefer(preference, timedelta(days=17))

    assert filled(f"for {{{word}}} days") == "for 17 days"


def test_a_deletion_that_is_asked_for_now_waits_for_as_long_as_was_set(ann: User) -> None:
    from privacy.deletion.requests import request_deletion
    from wallet.models import LedgerEntry
    from wallet.operations import debit

    debit(user=ann, amount_micros=100_000_000, kind=LedgerEntry.Kind.ADJUSTMENT, reference="out", note="x")
    prefer(keeping.DELETION_DELAY, timedelta(days=30))

    request_deletion(ann, now=NOW)

    assert AccountDeletion.objects.get().due_at == NOW + timedelta(days=30)


def test_what_the_supplier_may_still_change_is_not_forgotten_before(settings: Any) -> None:
    settings.LATE_CHANGE_DAYS = 30

    with pytest.raises(Disagree, match="At least 31 days"):
        prefer(keeping.NOTICES_KEPT, timedelta(days=30))
    prefer(keeping.NOTICES_KEPT, timedelta(days=31))


def test_nobody_can_undo_a_theft_in_less_than_three_days() -> None:
    with pytest.raises(ValidationError):
        keeping.DELETION_DELAY.kind.read("3")
