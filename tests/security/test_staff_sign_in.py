"""Staff and its second factor: whoever has none, or has not shown it, meets no page of the admin."""

import re

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import TrailEntry, User
from accounts.rights import FINANCE, OWNER
from tests.conftest import PASSWORD, second_factor
from tests.samples import each_method
from tests.security.factors import CONFIRM, SET_UP, code, passkey, recovery_code, sign_in_with_factor
from tests.security.signing_in import confirm, is_signed_in, letters_to, sign_in
from tests.security.staff import in_role

pytestmark = pytest.mark.django_db
INDEX = reverse("admin:index")


def addresses_of_the_admin() -> list[str]:
    """One address for every pattern below /admin/, with ones for its numbers and words."""
    [below] = [one for one in get_resolver().url_patterns if str(one.pattern) == "admin/"]
    found = []

    def follow(patterns: list, so_far: str) -> None:
        for one in patterns:
            path = so_far + str(one.pattern)
            if isinstance(one, URLResolver):
                follow(one.url_patterns, path)
            elif isinstance(one, URLPattern):
                # A path's converter, or an expression of which the first word that fits is taken.
                plain = re.sub(r"<\w+:\w+>", "1", path)
                plain = re.sub(r"\(\?P<\w+>(\w+)?[^)]*\)", lambda match: match[1] or "accounts", plain)
                found.append("/" + plain.replace("^", "").replace("\\Z", "").replace("$", ""))

    follow(below.url_patterns, "admin/")
    return sorted(set(found))


def records(client: Client, user: User, **shown) -> None:
    """Note in the session what it has shown, as the library does."""
    request = HttpRequest()
    request.session = client.session
    record_authentication(request, user, method="mfa", **shown)
    request.session.save()


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam, who has signed in with a password alone."""
    sign_in(client, sam)
    return client


@each_method
def test_staff_without_a_factor_is_led_to_set_one_up_by_every_page_of_the_admin(desk: Client, whole: bool) -> None:
    addresses = addresses_of_the_admin()
    assert len(addresses) > 300

    for place, address in enumerate(addresses):
        if address == reverse("admin:logout"):
            continue
        methods = (desk.get, desk.post)
        for method in methods if whole else methods[place % 2 :][:1]:
            answer = method(address)
            assert (answer.status_code, answer.get("Location")) == (302, SET_UP), address


def test_staff_without_a_factor_asking_for_a_part_of_a_page_is_led_there_as_a_whole(desk: Client) -> None:
    answer = desk.get(INDEX, headers={"hx-request": "true"})

    assert answer["HX-Redirect"] == SET_UP
    assert answer.content == b""


def test_staff_without_a_factor_changes_nothing_and_is_told_why(desk: Client) -> None:
    answer = desk.post(reverse("admin:auth_group_add"), {"name": "Mine"}, follow=True)

    assert "Staff signs in with two factors" in answer.content.decode()
    assert not Group.objects.filter(name="Mine").exists()


def test_staff_without_a_factor_may_use_the_shop_and_sign_out(desk: Client) -> None:
    assert desk.get(reverse("home")).status_code == 200
    assert is_signed_in(desk)

    desk.post(reverse("admin:logout"))

    assert not is_signed_in(desk)


def test_the_first_owner_sets_a_factor_up_shows_it_and_comes_in(
    desk: Client, sam: User, django_capture_on_commit_callbacks
) -> None:
    page = reverse("mfa_activate_totp")
    answer = confirm(desk, desk.get(page))
    assert answer["Location"] == page
    seed = desk.get(page).context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        done = desk.post(page, {"code": code(seed)})
    assert done["Location"] == reverse("mfa_view_recovery_codes")

    asked = desk.get(INDEX)
    assert asked["Location"] == f"{CONFIRM}?next=%2Fadmin%2F"
    assert desk.post(CONFIRM, {"code": code(seed), "next": INDEX})["Location"] == INDEX
    assert desk.get(INDEX).status_code == 200
    assert TrailEntry.objects.filter(action=TrailEntry.Action.FACTORS, actor=sam.email).exists()


@each_method
def test_a_session_of_a_password_alone_meets_no_page_once_its_owner_has_a_factor(
    desk: Client, sam: User, whole: bool
) -> None:
    second_factor(sam)

    for place, address in enumerate(addresses_of_the_admin(), start=1):  # the other method than above
        if address == reverse("admin:logout"):
            continue
        methods = (desk.get, desk.post)
        for method in methods if whole else methods[place % 2 :][:1]:
            answer = method(address)
            assert answer.status_code == 302, address
            assert answer["Location"].startswith(f"{CONFIRM}?next=%2Fadmin%2F"), address


def test_a_password_confirms_nothing_for_staff_with_a_factor(desk: Client, sam: User) -> None:
    second_factor(sam)
    by_password = reverse("account_reauthenticate")

    answer = desk.post(f"{by_password}?next={INDEX}", {"password": PASSWORD, "next": INDEX})

    assert answer["Location"].startswith(CONFIRM)
    assert by_password not in desk.get(CONFIRM).content.decode()
    assert desk.get(INDEX).status_code == 302


def test_a_wrong_code_confirms_nothing(desk: Client, sam: User) -> None:
    second_factor(sam)

    assert desk.post(CONFIRM, {"code": "000000", "next": INDEX}).status_code == 200
    assert desk.get(INDEX).status_code == 302


def test_staff_that_signs_in_with_password_and_code_comes_in(client: Client, sam: User) -> None:
    sign_in_with_factor(client, sam)

    assert client.get(INDEX).status_code == 200


def test_staff_that_signs_in_with_a_recovery_code_comes_in(client: Client, sam: User) -> None:
    second_factor(sam)
    typed = recovery_code(sam)
    sign_in(client, sam)
    client.post(reverse("mfa_authenticate"), {"code": typed})

    assert client.get(INDEX).status_code == 200


def test_staff_that_has_shown_a_passkey_comes_in_until_the_passkey_is_removed(desk: Client, sam: User) -> None:
    key = passkey(sam)
    assert desk.get(INDEX)["Location"].startswith(reverse("mfa_reauthenticate_webauthn"))

    records(desk, sam, id=key.pk, type="webauthn", passwordless=True)
    assert desk.get(INDEX).status_code == 200

    key.delete()
    assert desk.get(INDEX)["Location"] == SET_UP


def test_a_factor_that_was_replaced_opens_nothing_for_who_has_shown_the_old_one(client: Client, sam: User) -> None:
    sign_in_with_factor(client, sam)
    Authenticator.objects.filter(user=sam).delete()
    second_factor(sam)

    assert client.get(INDEX)["Location"].startswith(CONFIRM)


def test_what_another_account_has_shown_in_a_session_counts_for_nothing(desk: Client, sam: User, tom: User) -> None:
    second_factor(sam)
    records(desk, sam, id=second_factor(tom).pk, type="totp")

    assert desk.get(INDEX)["Location"].startswith(CONFIRM)


def test_recovery_codes_that_are_left_over_are_no_factor(desk: Client, sam: User) -> None:
    recovery_code(sam)
    codes = Authenticator.objects.get(user=sam)
    records(desk, sam, id=codes.pk, type="recovery_codes")

    assert desk.get(INDEX)["Location"] == SET_UP


def test_the_admins_own_sign_in_page_leads_to_the_shops(client: Client, sam: User) -> None:
    typed = {"username": sam.email, "password": PASSWORD, "next": INDEX}

    for method in (client.get, client.post):
        answer = method(reverse("admin:login"), typed)
        assert answer["Location"] == f"{reverse('account_login')}?next=/admin/"
    assert not is_signed_in(client)


def test_the_admins_own_sign_in_page_takes_nobody_else_in_the_place_of_who_is_there(
    client: Client, sam: User, tom: User
) -> None:
    sign_in_with_factor(client, sam)

    answer = client.post(
        reverse("admin:login"), {"username": tom.email, "password": PASSWORD, "next": "//evil.example"}
    )

    assert answer["Location"] == INDEX
    assert client.session["_auth_user_id"] == str(sam.pk)


def test_the_admins_own_page_for_a_password_leads_to_the_shops(client: Client, sam: User) -> None:
    sign_in_with_factor(client, sam)
    typed = {"old_password": PASSWORD, "new_password1": "another long one", "new_password2": "another long one"}

    answer = client.post(reverse("admin:password_change"), typed)

    assert answer["Location"] == reverse("account_change_password")
    sam.refresh_from_db()
    assert sam.check_password(PASSWORD)


def test_a_customer_with_a_factor_is_no_staff(client: Client, ann: User) -> None:
    sign_in_with_factor(client, ann)

    assert client.get(INDEX, follow=True).status_code == 403


def test_in_the_demo_a_password_will_do(desk: Client, settings) -> None:
    settings.DEMO = True

    assert desk.get(INDEX).status_code == 200


def test_in_the_demo_customers_stay_outside(client: Client, ann: User, settings) -> None:
    settings.DEMO = True
    sign_in(client, ann)

    assert client.get(INDEX, follow=True).status_code == 403


# --- Somebody else's factor ------------------------------------------------------------------------------------------


def remove(client: Client, factor: Authenticator) -> int:
    answer = client.post(reverse("admin:mfa_authenticator_delete", args=[factor.pk]), {"post": "yes"})
    return answer.status_code


def remove_by_the_list(client: Client, *factors: Authenticator) -> None:
    chosen = [factor.pk for factor in factors]
    typed = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    client.post(reverse("admin:mfa_authenticator_changelist"), typed)


@pytest.fixture
def kim(db: None) -> User:
    """Staff that may remove customers' factors."""
    from django.contrib.auth.models import Permission

    from tests.conftest import customer

    kim = customer("kim@example.com", is_staff=True)
    kim.user_permissions.set(Permission.objects.filter(content_type__app_label="mfa"))
    return kim


def test_support_removes_a_customers_factor_and_nobodys_of_staff(
    client: Client, kim: User, sam: User, ann: User
) -> None:
    anns, sams, kims = second_factor(ann), second_factor(sam), second_factor(kim)
    client.force_login(kim)

    assert remove(client, sams) == remove(client, kims) == 403
    remove_by_the_list(client, sams, kims)
    remove_by_the_list(client, sams, anns)
    assert Authenticator.objects.count() == 3

    assert remove(client, anns) == 302
    assert not Authenticator.objects.filter(user=ann).exists()
    assert "Your second factor was removed by the shop's staff" in letters_to(ann.email)[-1]


@pytest.mark.parametrize("keeps_the_role", [True, False])
def test_an_owner_who_takes_staffs_rights_for_a_moment_does_not_remove_the_factor_meanwhile(
    client: Client, keeps_the_role: bool
) -> None:
    owner, fred = in_role("olga@example.com", OWNER), in_role("fred@example.com", FINANCE)
    factor = second_factor(fred)
    client.force_login(owner)
    groups = list(fred.groups.values_list("pk", flat=True)) if keeps_the_role else []
    form = {"email": fred.email, "is_active": "on", "groups": groups}
    assert client.post(reverse("admin:accounts_user_change", args=[fred.pk]), form).status_code == 302
    assert not User.objects.get(pk=fred.pk).is_staff

    assert remove(client, factor) == 403
    remove_by_the_list(client, factor)

    assert Authenticator.objects.filter(pk=factor.pk).exists()


def test_a_superuser_removes_anothers_factor_with_all_that_hangs_on_it(client: Client, sam: User, tom: User) -> None:
    toms = Client()
    sign_in_with_factor(toms, tom)
    recovery_code(tom)
    client.force_login(sam)

    assert remove(client, Authenticator.objects.get(user=tom, type="totp")) == 302

    assert not Authenticator.objects.filter(user=tom).exists()
    assert not is_signed_in(toms)
    assert "Your second factor was removed" in letters_to(tom.email)[-1]
    assert "127.0.0.1" not in letters_to(tom.email)[-1]
    assert "You removed the second factor of tom@example.com" in letters_to(sam.email)[-1]
    entry = TrailEntry.objects.get(action=TrailEntry.Action.FACTORS)
    assert (entry.actor, entry.target, entry.after) == (
        sam.email,
        tom.email,
        {"removed": ["recovery_codes", "totp"]},
    )


def test_a_superuser_removes_anothers_factor_by_the_list(client: Client, sam: User, tom: User) -> None:
    toms = second_factor(tom)
    client.force_login(sam)

    remove_by_the_list(client, toms)

    assert not Authenticator.objects.filter(user=tom).exists()
    assert "Your second factor was removed" in letters_to(tom.email)[-1]


def test_a_superuser_does_not_remove_their_own_factor_at_the_admin(client: Client, sam: User) -> None:
    client.force_login(sam)
    own = Authenticator.objects.get(user=sam)

    assert remove(client, own) == 403
    remove_by_the_list(client, own)

    assert Authenticator.objects.filter(pk=own.pk).exists()


def test_every_model_of_the_admin_is_below_the_guarded_addresses() -> None:
    changelists = {
        reverse(f"admin:{one._meta.app_label}_{one._meta.model_name}_changelist") for one in admin.site._registry
    }

    assert changelists <= set(addresses_of_the_admin())
