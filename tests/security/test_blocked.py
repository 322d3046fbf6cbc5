"""A blocked customer neither signs in nor orders nor calls the API, and is told why; what was ordered goes on."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import AccountBlock, TrailEntry, User
from accounts.rights import OWNER, SUPPORT, NotYours
from accounts.security.blocking import AlreadyBlocked, NotBlocked, block_account, unblock_account
from orders.lifecycle.refunds import refund_up_to
from orders.models import Order, RefundReason
from orders.placing.place import place_order
from orders.placing.refusals import AccountBlocked
from privacy.deletion.requests import keep_account, pending_deletion_of, request_deletion
from tests.conftest import customer
from tests.pages import page_words
from tests.privacy.asking import without_money
from tests.security.staff import at_the_admin
from tests.storefront.admin_rows import make_order
from wallet.operations import balance_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
TOLD = "Your card was reported as stolen. Write to us."


def block(user: User, actor: User, told: str = TOLD) -> AccountBlock:
    return block_account(user, actor=actor, reason="chargebacks", told=told, now=timezone.now())


def page_of(user: User, act: str = "change") -> str:
    return f"/admin/accounts/user/{user.pk}/{act}/"


def button(desk: Client, user: User, act: str, **typed: str) -> Any:
    return desk.post(page_of(user, act), {"_form_submitted": "on", **typed})


def buttons(desk: Client, user: User) -> set[str]:
    page = desk.get(page_of(user)).content.decode()
    return {act for act in ("block", "unblock") if page_of(user, act) in page}


def in_role(email: str, role: str) -> User:
    user = customer(email, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def test_sessions_end_at_once_and_nobody_signs_in(ann: User, sam: User, client: Client) -> None:
    ann.set_password("a fine long password")
    ann.save()
    client.force_login(ann)
    assert client.get(reverse("account")).status_code == 200

    block(ann, sam)

    assert client.get(reverse("account")).status_code == 302
    answer = Client().post(reverse("account_login"), {"login": ann.email, "password": "a fine long password"})
    assert answer.status_code == 403
    assert TOLD in page_words(answer)
    assert "chargebacks" not in answer.content.decode()


def test_a_wrong_password_does_not_tell_that_the_account_is_blocked(ann: User, sam: User) -> None:
    block(ann, sam)

    answer = Client().post(reverse("account_login"), {"login": ann.email, "password": "not the right one"})

    assert "blocked" not in page_words(answer)
    assert answer.status_code == 200


def test_the_session_of_before_does_not_come_back_with_the_unblocking(ann: User, sam: User, client: Client) -> None:
    client.force_login(ann)
    block(ann, sam)
    unblock_account(ann, actor=sam, now=timezone.now())

    assert client.get(reverse("account")).status_code == 302
    ann.refresh_from_db()
    assert ann.is_active


def test_the_api_says_why(ann: User, sam: User) -> None:
    _row, key = create_api_key(user=ann, name="one")
    block(ann, sam)

    answers = [Client().post("/api/v2", {"key": text, "action": "balance"}).json() for text in (key, "0" * 64)]

    assert answers == [{"error": f"This account is blocked. {TOLD}"}, {"error": "Invalid API key"}]
    unblock_account(ann, actor=sam, now=timezone.now())
    assert "balance" in Client().post("/api/v2", {"key": key, "action": "balance"}).json()


def test_nothing_is_ordered_and_open_orders_go_on(ann: User, sam: User, service: Any) -> None:
    order = make_order(ann)
    before = balance_of(ann)
    block(ann, sam)

    with pytest.raises(AccountBlocked):
        place_order(
            user=User.objects.get(pk=ann.pk), service=service, quantity=1000, link="https://example.com/a",
            request_id="r1", now=timezone.now(),
        )  # fmt: skip
    assert Order.objects.get() == order
    assert balance_of(ann) == before
    refund_up_to(order, order.price_micros, why=RefundReason.CANCELED, now=timezone.now())
    assert balance_of(ann) == before + order.price_micros


def test_it_stands_on_the_trail_with_who_and_why(ann: User, sam: User) -> None:
    desk = at_the_admin(sam)

    assert button(desk, ann, "block", reason="chargebacks", told="").status_code == 302
    assert button(desk, ann, "unblock").status_code == 302

    entries = TrailEntry.objects.filter(target_id=str(ann.pk), action="rights").order_by("number")
    assert [(entry.actor_id, entry.after) for entry in entries] == [
        (sam.pk, {"is_active": False, "reason": "chargebacks", "told": ""}),
        (sam.pk, {"is_active": True, "unblocked": True}),
    ]
    row = AccountBlock.objects.get()
    assert (row.begun_by, row.ended_by, row.ended_at is not None) == (sam, sam, True)


def test_the_page_offers_what_fits_and_says_why(ann: User, sam: User) -> None:
    desk = at_the_admin(sam)
    assert buttons(desk, ann) == {"block"}

    block(ann, sam)

    page = desk.get(page_of(ann))
    assert buttons(desk, ann) == {"unblock"}
    assert buttons(desk, sam) == set()
    assert "chargebacks" in page_words(page)
    assert "is_active" not in page.context["adminform"].form.fields


def test_support_blocks_customers_and_nobody_who_works_here(ann: User, sam: User) -> None:
    sue, olga = in_role("sue@example.com", SUPPORT), in_role("olga@example.com", OWNER)
    desk = at_the_admin(sue)

    answers = [button(desk, user, "block", reason="why not").status_code for user in (ann, sam, olga)]

    assert answers == [302, 403, 403]
    assert list(User.objects.filter(is_active=False)) == [ann]
    User.objects.filter(pk=olga.pk).update(is_active=False)
    assert button(desk, olga, "unblock").status_code == 403
    with pytest.raises(NotYours):
        block(olga, sue)
    with pytest.raises(NotYours):
        unblock_account(olga, actor=sue, now=timezone.now())


def test_nobody_blocks_themselves_or_the_last_owner(sam: User) -> None:
    with pytest.raises(NotYours, match="your own"):
        block(sam, sam)
    olga = in_role("olga@example.com", OWNER)
    User.objects.filter(pk=sam.pk).update(is_superuser=False)
    sam.groups.add(Group.objects.get(name=OWNER))
    block(olga, User.objects.get(pk=sam.pk))
    assert not User.objects.get(pk=olga.pk).is_active


def test_blocked_twice_or_unblocked_twice_changes_nothing(ann: User, sam: User, tom: User) -> None:
    block(ann, sam)
    with pytest.raises(AlreadyBlocked):
        block(ann, tom, told="something else")
    assert AccountBlock.objects.get().told == TOLD
    unblock_account(ann, actor=tom, now=timezone.now())
    with pytest.raises(NotBlocked):
        unblock_account(ann, actor=sam, now=timezone.now())
    assert AccountBlock.objects.get().ended_by == tom


def test_one_who_was_switched_off_before_blocks_had_rows_is_let_in_again(ann: User, sam: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=False)

    unblock_account(ann, actor=sam, now=timezone.now())

    assert User.objects.get(pk=ann.pk).is_active


def test_the_owner_of_a_closed_account_opens_it_and_no_block_with_it(ann: User, sam: User) -> None:
    without_money(ann)
    request_deletion(ann, now=timezone.now())
    with pytest.raises(NotBlocked):
        unblock_account(User.objects.get(pk=ann.pk), actor=sam, now=timezone.now())
    block(User.objects.get(pk=ann.pk), sam)
    deletion = pending_deletion_of(ann)
    assert deletion is not None

    keep_account(deletion, now=timezone.now())
    assert not User.objects.get(pk=ann.pk).is_active

    unblock_account(ann, actor=sam, now=timezone.now() + timedelta(hours=1))
    assert User.objects.get(pk=ann.pk).is_active


def test_a_block_that_ends_leaves_a_closed_account_closed(ann: User, sam: User) -> None:
    without_money(ann)
    request_deletion(ann, now=timezone.now())
    block(User.objects.get(pk=ann.pk), sam)

    unblock_account(ann, actor=sam, now=timezone.now())

    assert not User.objects.get(pk=ann.pk).is_active


@pytest.mark.django_db(transaction=True)
def test_of_two_who_block_at_once_one_does() -> None:
    ann = customer("ann@example.com")
    staff = [customer(f"{name}@example.com", is_staff=True, is_superuser=True) for name in ("sam", "tom")]

    def try_it(actor: User) -> str:
        try:
            block(User.objects.get(pk=ann.pk), actor)
            return "blocked"
        except AlreadyBlocked:
            return "too late"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        answers = sorted(both.map(try_it, staff))

    assert answers == ["blocked", "too late"]
    assert AccountBlock.objects.count() == 1
