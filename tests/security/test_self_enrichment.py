"""Attack: staff gives money to itself, to whom it is tied, or to an accomplice, at every page that moves any."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import TrailEntry, User
from orders.accounting.audit import audit
from tests.conftest import customer, second_factor
from tests.wallet.by_hand import move
from tests.wallet.conftest import transfers
from tests.wallet.paying import DOLLAR, demo_says, start
from wallet.gateways import State as Said
from wallet.models import LedgerEntry, MoneyRequest, TopUp, Wallet

__all__ = ["transfers"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("transfers")]
State, Status = MoneyRequest.State, TopUp.Status
A_LOT = "900000000"


def clerk(name: str, *may: str) -> User:
    """Staff with these permissions of the wallet's and no more."""
    user = customer(f"{name}@example.com", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="wallet", codename__in=may))
    second_factor(user)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def kay(db: None) -> User:
    return clerk("kay", "view_topup", "change_topup")


def brought(user: User, by: User) -> User:
    """As if `user` had signed up by the link of `by`."""
    User.objects.filter(pk=user.pk).update(referred_by=by)
    return User.objects.get(pk=user.pk)


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def press(user: User, page: str, pk: int, **fields: str) -> Any:
    form = {"_form_submitted": "True", "request_id": str(uuid.uuid4()), "note": "sorry", "paid_how": "cash", **fields}
    return browser_of(user).post(reverse(f"admin:wallet_{page}", args=[pk]), form, follow=True)


def told(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def begin_transfer(user: User, amount: str) -> TopUp:
    """Add money at the shop's own page, as any customer does."""
    browser_of(user).post(reverse("wallet:add"), {"amount": amount, "gateway": "manual"})
    return TopUp.objects.filter(user=user).latest("pk")


def has(user: User) -> int:
    wallet = Wallet.objects.filter(user=user).first()
    return 0 if wallet is None else wallet.balance_micros


# --- One's own money, and that of whom one is tied to -----------------------------------------------------------------
def test_a_transfer_of_ten_confirmed_as_a_fortune_by_its_own_owner_credits_nothing(kay: User, tom: User) -> None:
    own = begin_transfer(kay, "10")

    for amount in ("10", "1", A_LOT):
        answer = press(kay, "topup_confirm", own.pk, amount=amount)
        assert told(answer) == (
            "This is about your own money: somebody else has to do it. These people can: tom@example.com."
        )

    own.refresh_from_db()
    assert (own.status, own.received_micros, has(kay)) == (Status.CREATED, 0, 0)
    assert (LedgerEntry.objects.count(), MoneyRequest.objects.count()) == (0, 0)
    assert audit(client=None, now=timezone.now()).problems == []


ACTS = {
    "confirm": ("topup_confirm", {"amount": "1"}),
    "decline": ("topup_decline", {}),
    "mark reviewed": ("topup_mark_reviewed", {}),
    "give": ("wallet_adjust", {"amount": "1"}),
    "give a lot": ("wallet_adjust", {"amount": A_LOT}),
    "take": ("wallet_adjust", {"amount": "-1"}),
    "pay out": ("wallet_withdraw", {"amount": "1"}),
}


@pytest.mark.parametrize("role", ["clerk", "superuser"])
@pytest.mark.parametrize("whose", ["own", "whom one brought", "who brought one"])
@pytest.mark.parametrize("act", ACTS)
def test_no_act_on_money_of_oneself_or_a_referral_relation(settings: Any, role: str, whose: str, act: str) -> None:
    settings.ADJUST_APPROVAL_MICROS = 0  # nothing is too much for one
    settings.DEBUG = True  # the demo gateway exists with it only
    may = ("change_topup", "change_wallet", "view_topup", "view_wallet")
    actor = clerk("max", *may) if role == "clerk" else customer("max@example.com", is_staff=True, is_superuser=True)
    other = customer("friend@example.com", money="5.00")
    if whose == "who brought one":
        actor = brought(actor, by=other)
    owner = {"own": actor, "whom one brought": brought(other, by=actor), "who brought one": other}[whose]
    if whose == "who brought one":
        owner = User.objects.get(pk=other.pk)
        User.objects.filter(pk=other.pk).update(referred_by=None)
    top_up = _to_look_at(owner) if act == "mark reviewed" else start(owner, "manual", 10)
    wallet = Wallet.objects.get_or_create(user=owner)[0]
    before = (has(owner), TopUp.objects.values_list("status", "attention").get())

    page, form = ACTS[act]
    answer = press(actor, page, top_up.pk if page.startswith("topup") else wallet.pk, **form)

    assert "somebody else has to do it" in told(answer)
    assert (has(owner), TopUp.objects.values_list("status", "attention").get()) == before
    assert MoneyRequest.objects.count() == 0


def _to_look_at(owner: User) -> TopUp:
    """A payment of a gateway's that came in short and waits for staff."""
    top_up = start(owner, "demo", 10)
    demo_says(top_up, Said.PAID, amount_micros=5 * DOLLAR)
    top_up.refresh_from_db()
    assert top_up.status == Status.REVIEW
    return top_up


# --- More than was asked for ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("limit", [100 * DOLLAR, 0])
def test_a_transfer_of_ten_confirmed_as_a_fortune_for_an_accomplice_waits_for_somebody_with_the_right(
    ann: User, kay: User, tom: User, settings: Any, limit: int
) -> None:
    settings.ADJUST_APPROVAL_MICROS = limit
    top_up = begin_transfer(ann, "10")
    before = has(ann)

    answer = press(kay, "topup_confirm", top_up.pk, amount=A_LOT)

    asked = MoneyRequest.objects.get()
    assert "more than the customer was asked for" in told(answer)
    assert answer.redirect_chain[-1][0] == reverse("admin:wallet_topup_change", args=[top_up.pk])
    assert (asked.state, asked.asked_by, asked.amount_micros) == (State.WAITING, kay, int(A_LOT) * DOLLAR)
    again = press(kay, "topup_confirm", top_up.pk, amount="10")
    assert "already waiting for a second person" in told(again)
    # Whoever asked does not decide, nor does anybody without the right.
    assert press(kay, "moneyrequest_approve", asked.pk).status_code == 403
    kay.user_permissions.add(*Permission.objects.filter(codename__in=["view_moneyrequest", "change_moneyrequest"]))
    assert "Somebody else has to decide" in told(press(kay, "moneyrequest_approve", asked.pk))
    assert (has(ann), TopUp.objects.get().status) == (before, Status.CREATED)

    assert told(press(tom, "moneyrequest_decline", asked.pk)) == "Declined; no money has moved."
    assert told(press(kay, "topup_confirm", top_up.pk, amount="10")) == "The payment has been confirmed and credited."
    assert has(ann) == before + 10 * DOLLAR


def test_what_two_agreed_on_is_credited_once_and_says_who_both_were(ann: User, kay: User, tom: User) -> None:
    top_up = begin_transfer(ann, "10")
    before = has(ann)
    press(kay, "topup_confirm", top_up.pk, amount="30")
    asked = MoneyRequest.objects.get()

    for _press in range(2):
        press(tom, "moneyrequest_approve", asked.pk)

    asked.refresh_from_db()
    top_up.refresh_from_db()
    entry = LedgerEntry.objects.get(reference=f"top_up:{top_up.reference}")
    assert (asked.state, asked.decided_by, top_up.confirmed_by, entry.created_by) == (State.DONE, tom, kay, kay)
    assert (has(ann), top_up.received_micros, top_up.status) == (before + 30 * DOLLAR, 30 * DOLLAR, Status.PAID)
    page = browser_of(tom).get(reverse("admin:wallet_ledgerentry_change", args=[entry.pk])).content.decode()
    assert "tom@example.com" in page
    assert reverse("admin:wallet_moneyrequest_change", args=[asked.pk]) in page
    assert audit(client=None, now=timezone.now()).problems == []


def test_what_waits_is_not_credited_on_top_of_what_came_meanwhile(ann: User, kay: User, tom: User) -> None:
    top_up = begin_transfer(ann, "10")
    press(kay, "topup_confirm", top_up.pk, amount="30")
    asked, before = MoneyRequest.objects.get(), has(ann)
    TopUp.objects.update(received_micros=10 * DOLLAR, credited_micros=10 * DOLLAR, status=Status.REVIEW)

    answer = press(tom, "moneyrequest_approve", asked.pk)

    assert "What this request is about has changed" in told(answer)
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by, has(ann)) == (State.WAITING, None, before)


def test_who_is_tied_to_the_customer_or_to_who_asked_approves_nothing(ann: User, kay: User, tom: User) -> None:
    right = ("view_moneyrequest", "change_moneyrequest")
    ann = brought(ann, by=clerk("lee", *right))
    friend_of_kay = brought(clerk("moe", *right), by=kay)
    owner = clerk("own", *right)
    asked = [move(user, kay, 200 * DOLLAR) for user in (ann, owner)]

    for actor, request in ((ann.referred_by, asked[0]), (friend_of_kay, asked[0]), (owner, asked[1])):
        answer = press(actor, "moneyrequest_approve", request.pk)
        assert "Somebody else has to decide" in told(answer)
        assert "tom@example.com" in told(answer)

    assert set(MoneyRequest.objects.values_list("state", flat=True)) == {State.WAITING}


@pytest.mark.parametrize("whose", ["own", "whom one brought"])
def test_what_an_older_version_let_somebody_ask_for_themselves_is_approved_by_nobody(
    ann: User, kay: User, tom: User, whose: str
) -> None:
    owner = kay if whose == "own" else brought(ann, by=kay)
    asked = move(ann if whose == "own" else tom, customer("pat@example.com", is_staff=True), 200 * DOLLAR)
    MoneyRequest.objects.update(user=owner, asked_by=kay)

    assert "would get the money" in told(press(tom, "moneyrequest_approve", asked.pk))

    asked.refresh_from_db()
    assert (asked.state, has(kay)) == (State.WAITING, 0)
    assert told(press(tom, "moneyrequest_decline", asked.pk)) == "Declined; no money has moved."


# --- Under the limit, again and again ---------------------------------------------------------------------------------
def test_acts_of_every_kind_over_all_wallets_share_one_limit(ann: User, ben: User, tom: User) -> None:
    """40 + 30 + 30 is what one may; a micro more, in any direction and any wallet, takes two."""
    max_ = clerk("max", "change_topup", "change_wallet", "view_topup", "view_wallet")
    transfer = begin_transfer(ann, "40")
    press(max_, "topup_confirm", transfer.pk, amount="40")
    press(max_, "wallet_adjust", ben.wallet.pk, amount="-30")
    press(max_, "wallet_withdraw", ann.wallet.pk, amount="30")
    assert MoneyRequest.objects.filter(state=State.DONE).count() == 3
    balances = has(ann), has(ben)

    late = begin_transfer(ben, "10")
    answers = [
        press(max_, "wallet_adjust", ben.wallet.pk, amount="0.000001"),
        press(max_, "wallet_adjust", ann.wallet.pk, amount="-0.000001"),
        press(max_, "wallet_withdraw", ben.wallet.pk, amount="1"),
        press(max_, "topup_confirm", late.pk, amount="10"),
    ]

    for answer in answers:
        assert "exceeds what one person may move within 24 hours, $100.00 in all" in told(answer)
        assert "tom@example.com" in told(answer)
    assert MoneyRequest.objects.filter(state=State.WAITING).count() == 4
    assert (has(ann), has(ben)) == balances
    # What a colleague agrees to counts for nobody: neither of them has less left for it.
    for asked in MoneyRequest.objects.filter(state=State.WAITING):
        press(tom, "moneyrequest_approve", asked.pk)
    press(tom, "wallet_adjust", ann.wallet.pk, amount="100")
    assert MoneyRequest.objects.latest("pk").state == State.DONE


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_acts_at_the_same_moment_do_not_slip_under_the_limit(settings: Any) -> None:
    settings.ADJUST_APPROVAL_MICROS = 50 * DOLLAR
    max_ = clerk("max", "change_topup", "change_wallet", "view_topup", "view_wallet")
    people = [customer(f"{number}@example.com", money="0.01") for number in range(6)]
    acts = [
        ("wallet_adjust", people[0].wallet.pk, "20"),
        ("wallet_adjust", people[1].wallet.pk, "20"),
        ("wallet_adjust", people[2].wallet.pk, "20"),
        *[("topup_confirm", start(user, "manual", 20).pk, "20") for user in people[3:]],
    ]

    def act(page: str, pk: int, amount: str) -> None:
        try:
            press(max_, page, pk, amount=amount)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        list(threads.map(lambda one: act(*one), acts))

    moved = LedgerEntry.objects.filter(created_by=max_).values_list("amount_micros", flat=True)
    assert list(moved) == [20 * DOLLAR] * 2
    assert MoneyRequest.objects.filter(state=State.WAITING).count() == 4


@pytest.mark.django_db(transaction=True)
def test_one_confirmation_approved_by_two_at_once_is_credited_once(settings: Any) -> None:
    ann = customer("ann@example.com")
    kay = clerk("kay", "view_topup", "change_topup")
    colleagues = [clerk(name, "view_moneyrequest", "change_moneyrequest") for name in ("lee", "moe")]
    top_up = start(ann, "manual", 10)
    press(kay, "topup_confirm", top_up.pk, amount="30")
    asked = MoneyRequest.objects.get()

    def approve(user: User) -> None:
        try:
            press(user, "moneyrequest_approve", asked.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(approve, colleagues * 2))

    assert has(ann) == 30 * DOLLAR


# --- Ways around ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", ["topup", "wallet", "moneyrequest", "receivable"])
def test_actions_on_lists_and_forms_move_no_money_and_decide_nothing(
    sam: User, ann: User, kay: User, model: str
) -> None:
    """The names of all buttons, posted to the list for every row at once, and the form saved by force."""
    own = start(sam, "manual", 10)
    move(ann, sam, 200 * DOLLAR)
    Wallet.objects.get_or_create(user=sam)
    before = _books()
    desk = browser_of(sam)
    names = ("confirm", "decline", "mark_reviewed", "adjust", "withdraw", "approve", "delete_selected")

    for name in names:
        form = {"action": name, "_selected_action": [own.pk, 1, 2], "select_across": "1", "amount": "1", "post": "yes"}
        desk.post(reverse(f"admin:wallet_{model}_changelist"), form)
    forced = {"status": "paid", "received_micros": A_LOT, "credited_micros": A_LOT, "balance_micros": A_LOT}
    forced |= {"state": "done", "decided_by": str(kay.pk), "paid_micros": A_LOT, "_save": "Save"}
    desk.post(reverse(f"admin:wallet_{model}_change", args=[own.pk]), forced)
    desk.post(reverse(f"admin:wallet_{model}_changelist"), {"form-TOTAL_FORMS": "1", **forced})

    assert _books() == before


def _books() -> list[list[Any]]:
    return [list(model.objects.order_by("pk").values()) for model in (TopUp, Wallet, MoneyRequest, LedgerEntry)]


def test_the_command_that_credits_leaves_an_entry_on_the_trail(ann: User) -> None:
    call_command("credit", ann.email, "5", note="lost in the mail", reference="INV-7")

    entry = TrailEntry.objects.latest("number")
    assert (entry.actor, entry.target_id, entry.after["amount_micros"]) == ("command line", str(ann.pk), 5 * DOLLAR)
    assert (entry.after["reference"], entry.after["note"]) == ("credit:INV-7", "lost in the mail")
    count = TrailEntry.objects.count()
    with pytest.raises(CommandError):
        call_command("credit", ann.email, "5", note="lost in the mail", reference="INV-7")
    assert TrailEntry.objects.count() == count
