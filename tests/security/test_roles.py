"""Roles: what people with power do to come to more of it, and what they are told."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.forms import modelform_factory
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.keys.api_keys import create_api_key
from accounts.models import ApiKey, CustomerGroup, User
from accounts.rights import CATALOG, FINANCE, OWNER, ROLES, SUPPORT
from tests.accounts.opening import opens
from tests.conftest import customer
from tests.security.staff import at_the_admin, in_role, with_rights

pytestmark = pytest.mark.django_db
POWERS = ("is_active", "is_staff", "is_superuser")
LAST_SUPERUSER = "This is the last superuser. Make somebody else one first."


def page_of(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


def post(client: Client, user: User, **changed: Any) -> Any:
    """Send the form of an account as it is, with what is changed; None leaves a field out."""
    rights: dict[str, Any] = {name: "on" for name in POWERS if getattr(user, name)}
    rights["groups"] = list(user.groups.values_list("pk", flat=True))
    rights["user_permissions"] = list(user.user_permissions.values_list("pk", flat=True))
    form = {"email": user.email, **rights, **changed}
    return client.post(page_of(user), {name: value for name, value in form.items() if value is not None})


def errors(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return [str(error) for error in answer.context["adminform"].form.non_field_errors()]


def everything_about(user: User) -> tuple[Any, ...]:
    user = User.objects.get(pk=user.pk)
    powers = tuple(getattr(user, name) for name in POWERS)
    groups, permissions = set(user.groups.all()), set(user.user_permissions.all())
    return (user.email, user.password, user.group_id, powers, groups, permissions)


def role(name: str) -> Group:
    return Group.objects.get(name=name)


def permission(name: str) -> Permission:
    app, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


# --- From below ------------------------------------------------------------------------------------------------------
@pytest.fixture
def sue(db: None) -> User:
    """Support."""
    return in_role("sue@example.com", SUPPORT)


@pytest.mark.parametrize("whose", ["a customer", "one's own", "a colleague", "an owner", "a superuser"])
def test_support_that_posts_every_power_changes_none(sue: User, ann: User, sam: User, whose: str) -> None:
    people = {
        "a customer": ann,
        "one's own": sue,
        "a colleague": in_role("fin@example.com", FINANCE),
        "an owner": in_role("olga@example.com", OWNER),
        "a superuser": sam,
    }
    account = people[whose]
    before = everything_about(account)
    everything = {
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [role(OWNER).pk],
        "user_permissions": list(Permission.objects.values_list("pk", flat=True)),
        "email": "eve@example.com",
        "group": CustomerGroup.objects.create(name="All for nothing", discount_percent=100).pk,
        "password": "eve knows this one",
        "password1": "eve knows this one",
        "password2": "eve knows this one",
        "referred_by": sue.pk,
    }

    answer = post(at_the_admin(sue), account, **everything)

    assert answer.status_code == (302 if whose == "a customer" else 403)
    assert everything_about(account) == before
    assert EmailAddress.objects.get(user=account).email == account.email


def test_nobody_sets_a_password(sue: User, ann: User, sam: User) -> None:
    words = "another long password"
    form = {"password1": words, "password2": words, "usable_password": "true", "set-password": "x"}
    before = everything_about(ann)

    for client in (at_the_admin(sue), at_the_admin(sam)):
        address = reverse("admin:auth_user_password_change", args=[ann.pk])
        assert (client.get(address).status_code, client.post(address, form).status_code) == (404, 404)

    assert everything_about(ann) == before


def test_a_dormant_owner_is_an_owner_to_whoever_would_take_the_account(sue: User) -> None:
    olga = in_role("olga@example.com", OWNER)
    User.objects.filter(pk=olga.pk).update(is_active=False, is_staff=False)
    olga.refresh_from_db()

    assert post(at_the_admin(sue), olga, is_active="on").status_code == 403
    assert not User.objects.get(pk=olga.pk).is_active


def test_keys_of_an_account_with_more_rights_are_out_of_reach(sam: User, ann: User) -> None:
    clerk = with_rights("clerk@example.com", "view_apikey", "add_apikey", "change_apikey", "view_user")
    desk = at_the_admin(clerk)
    key, text = create_api_key(user=sam, name="robot")
    theirs, _text = create_api_key(user=ann, name="robot")
    form = {"name": "mine", "may_read": "on", "may_see_secrets": "on"}

    answers = [
        desk.post(reverse(f"admin:accounts_apikey_{page}", args=[key.pk]), {**form, **typed})
        for page, typed in (
            ("change", {}),
            ("revoke", {"_form_submitted": "True"}),
            ("rotate", {"_form_submitted": "True", "hours": "1"}),
        )
    ]
    added = desk.post(reverse("admin:accounts_apikey_add"), {**form, "user": sam.pk})
    customers = desk.post(reverse("admin:accounts_apikey_change", args=[theirs.pk]), form)

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert list(added.context["adminform"].form.errors) == ["user"]
    assert customers.status_code == 302
    assert list(ApiKey.objects.filter(user=sam).values_list("pk", "name", "revoked_at")) == [(key.pk, "robot", None)]
    assert opens(text)


def test_addresses_and_factors_of_an_account_with_more_rights_are_out_of_reach(sue: User, sam: User, ann: User) -> None:
    desk = at_the_admin(sue)
    second = EmailAddress.objects.create(user=sam, email="eve@example.com")
    factors = [Authenticator.objects.create(user=user, type="totp", data={}).pk for user in (sam, ann)]

    desk.post(reverse("admin:account_emailaddress_changelist"), {"action": "verify", "_selected_action": [second.pk]})
    page = desk.post(reverse("admin:mfa_authenticator_delete", args=[factors[0]]), {"post": "yes"})
    several = {"action": "delete_selected", "_selected_action": factors, "post": "yes"}
    desk.post(reverse("admin:mfa_authenticator_changelist"), several)

    second.refresh_from_db()
    assert (second.verified, page.status_code) == (False, 403)
    assert list(Authenticator.objects.filter(pk__in=factors).order_by("pk").values_list("pk", flat=True)) == factors


@pytest.mark.parametrize("who", ["finance", "somebody with every right on groups"])
def test_roles_are_edited_by_owners_alone(who: str) -> None:
    rights = ("view_group", "add_group", "change_group", "delete_group")
    user = in_role("fin@example.com", FINANCE) if who == "finance" else with_rights("clerk@example.com", *rights)
    own = Group.objects.create(name="Own")
    user.groups.add(own)
    desk = at_the_admin(user)
    form = {"name": "Own", "permissions": list(Permission.objects.values_list("pk", flat=True))}
    before = set(Group.objects.values_list("name", "permissions"))

    answers = [
        desk.post(reverse("admin:auth_group_add"), {**form, "name": "More"}),
        desk.post(reverse("admin:auth_group_change", args=[own.pk]), form),
        desk.post(reverse("admin:auth_group_delete", args=[own.pk]), {"post": "yes"}),
    ]
    several = {"action": "delete_selected", "_selected_action": [own.pk], "post": "yes"}
    desk.post(reverse("admin:auth_group_changelist"), several)

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert set(Group.objects.values_list("name", "permissions")) == before


def test_catalog_opens_no_wallet(ann: User) -> None:
    desk = at_the_admin(in_role("cat@example.com", CATALOG))
    form = {"_form_submitted": "True", "amount": "900", "note": "for me", "request_id": "x"}

    answers = [
        desk.get(reverse("admin:wallet_wallet_changelist")),
        desk.get(reverse("admin:wallet_wallet_change", args=[ann.wallet.pk])),
        desk.post(reverse("admin:wallet_wallet_adjust", args=[ann.wallet.pk]), form),
        desk.post(reverse("admin:wallet_wallet_withdraw", args=[ann.wallet.pk]), form),
        desk.get(reverse("admin:wallet_ledgerentry_changelist")),
        desk.get(page_of(ann)),
    ]

    assert {answer.status_code for answer in answers} == {403}
    ann.wallet.refresh_from_db()
    assert ann.wallet.balance_micros == 100_000_000


# --- Owners ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def olga(db: None) -> User:
    """An owner who is no superuser."""
    return in_role("olga@example.com", OWNER)


def test_an_owner_takes_somebody_on_and_gives_what_they_have(olga: User, ann: User) -> None:
    own = Group.objects.create(name="Own")
    own.permissions.add(permission("orders.view_order"))

    answer = post(at_the_admin(olga), ann, is_staff="on", groups=[role(FINANCE).pk, own.pk])

    assert answer.status_code == 302
    ann.refresh_from_db()
    assert (ann.is_staff, set(ann.groups.all())) == (True, {role(FINANCE), own})


def test_an_owner_gives_and_takes_nothing_they_do_not_have(olga: User, ann: User) -> None:
    missing = permission("sessions.delete_session")
    more = Group.objects.create(name="More")
    more.permissions.add(missing)
    desk = at_the_admin(olga)
    refused = ["You can't give or take a right that you don't have yourself."]

    for user in (olga, ann):
        before = everything_about(user)
        assert errors(post(desk, user, user_permissions=[missing.pk])) == refused
        assert errors(post(desk, user, groups=[*user.groups.values_list("pk", flat=True), more.pk])) == refused
        assert post(desk, user, is_superuser="on").status_code == 302
        assert everything_about(user) == before
    for form in ({"name": "Even more", "permissions": [missing.pk]}, {"name": "Wallets", "permissions": []}):
        answer = desk.post(reverse("admin:auth_group_change", args=[more.pk]), form)
        assert errors(answer) == refused
    assert errors(desk.post(reverse("admin:auth_group_add"), {"name": "New", "permissions": [missing.pk]})) == refused
    assert desk.post(reverse("admin:auth_group_delete", args=[more.pk]), {"post": "yes"}).status_code == 403
    assert list(more.permissions.all()) == [missing]


def test_an_owner_touches_no_account_with_more_rights(olga: User, sam: User) -> None:
    more = with_rights("more@example.com", "delete_session")
    desk = at_the_admin(olga)
    before = [everything_about(user) for user in (sam, more)]

    answers = [post(desk, user, email="eve@example.com", is_active=None) for user in (sam, more)]
    links = [desk.post(reverse("admin:accounts_user_send_link", args=[user.pk])) for user in (sam, more)]

    assert [answer.status_code for answer in (*answers, *links)] == [403] * 4
    assert [everything_about(user) for user in (sam, more)] == before


@pytest.mark.parametrize("name", ROLES)
def test_the_ready_made_roles_stay_as_they_are(sam: User, olga: User, name: str) -> None:
    group = role(name)
    before = set(group.permissions.all())

    for desk in (at_the_admin(sam), at_the_admin(olga)):
        form = {"name": "Another", "permissions": [permission("orders.view_order").pk]}
        assert desk.post(reverse("admin:auth_group_change", args=[group.pk]), form).status_code == 403
        assert desk.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"}).status_code == 403
        several = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
        desk.post(reverse("admin:auth_group_changelist"), several)

    assert set(role(name).permissions.all()) == before


# --- The last one ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("power", ["is_staff", "is_superuser"])
def test_the_last_superuser_stays(sam: User, olga: User, power: str) -> None:
    answer = post(at_the_admin(sam), sam, **{power: None})

    assert errors(answer) == [LAST_SUPERUSER]
    assert all(getattr(User.objects.get(pk=sam.pk), name) for name in POWERS)


def test_a_superuser_who_is_not_the_last_may_go(sam: User, tom: User) -> None:
    assert post(at_the_admin(sam), tom, is_superuser=None, is_staff=None).status_code == 302
    assert not User.objects.get(pk=tom.pk).is_superuser


@pytest.mark.parametrize("taken", [{"groups": []}, {"is_staff": None}])
def test_the_last_owner_stays_and_others_may_go(olga: User, taken: dict[str, Any]) -> None:
    User.objects.create_user("asleep@example.com", is_staff=True, is_superuser=True, is_active=False)
    otto = in_role("otto@example.com", OWNER)
    desk = at_the_admin(olga)

    assert post(desk, otto, **taken).status_code == 302
    answer = post(desk, olga, **taken)

    assert errors(answer) == ["This is the last owner. Make somebody else one first."]


@pytest.mark.django_db(transaction=True)
def test_two_superusers_who_take_each_other_out_at_once_leave_one() -> None:
    people = [customer(f"{name}@example.com", is_staff=True, is_superuser=True) for name in ("sam", "tom")]
    desks = [(at_the_admin(people[0]), people[1]), (at_the_admin(people[1]), people[0])]

    def take_out(desk: Client, other: User) -> int:
        try:
            return int(post(desk, other, is_superuser=None).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(take_out, *zip(*desks, strict=True)))

    assert sorted(answers) in ([200, 302], [302, 403])
    assert User.objects.filter(is_superuser=True).count() == 1


# --- Whichever form it was -------------------------------------------------------------------------------------------
def test_saving_asks_again_whichever_form_it_was(olga: User, sue: User, ann: User, sam: User) -> None:
    pages: Any = admin.site._registry[User]
    groups: Any = admin.site._registry[Group]
    plain = modelform_factory(User, fields=["email", *POWERS, "groups", "user_permissions"])
    of_groups = modelform_factory(Group, fields=["name", "permissions"])
    everything = list(Permission.objects.values_list("pk", flat=True))
    for actor, user, typed in (
        (sue, ann, {"is_staff": "on"}),
        (sue, ann, {"groups": [role(SUPPORT).pk]}),
        (sue, sue, {"user_permissions": everything}),
        (olga, ann, {"is_superuser": "on"}),
        (olga, ann, {"user_permissions": everything}),
        (olga, sam, {"is_active": ""}),
    ):
        form = plain({"email": user.email, "is_active": "on", **typed}, instance=User.objects.get(pk=user.pk))
        assert form.is_valid()
        with pytest.raises(PermissionDenied):
            pages.save_model(request_of(actor), form.save(commit=False), form, True)
    for actor in (sue, olga):
        group = of_groups({"name": "Mine", "permissions": everything})
        assert group.is_valid()
        with pytest.raises(PermissionDenied):
            groups.save_model(request_of(actor), group.save(commit=False), group, False)
    with pytest.raises(PermissionDenied):
        groups.delete_queryset(request_of(sam), Group.objects.filter(name=SUPPORT))


def request_of(user: User) -> Any:
    request = RequestFactory().post("/")
    request.user = user
    return request
