"""Whose money a member of staff may move, and who can where they may not."""

import pytest
from django.contrib.auth.models import Group, Permission

from accounts.models import User
from accounts.power import NotYourOwnMoney, may_move_money_of, refuse_own_money, staff_for_money_of

pytestmark = pytest.mark.django_db
RIGHT = "wallet.change_wallet"


def brought(user: User, by: User) -> None:
    User.objects.filter(pk=user.pk).update(referred_by=by)
    user.refresh_from_db()


def test_may_move_money_of_anybody_but_oneself_and_ones_referral_relations(ann, ben, sam, tom):
    brought(ann, by=sam)
    brought(sam, by=ben)

    assert [may_move_money_of(sam, customer) for customer in (sam, ann, ben, tom)] == [False, False, False, True]
    assert [may_move_money_of(tom, customer) for customer in (sam, ann, ben, tom)] == [True, True, True, False]


def test_refuse_own_money_says_who_can_instead(ann, sam, tom):
    brought(ann, by=sam)

    with pytest.raises(NotYourOwnMoney) as refusal:
        refuse_own_money(sam, ann, permission=RIGHT)
    assert str(refusal.value) == (
        "One of you brought the other to this shop: somebody else has to do it. These people can: tom@example.com."
    )

    tom.delete()
    with pytest.raises(NotYourOwnMoney) as refusal:
        refuse_own_money(sam, sam, permission=RIGHT)
    assert str(refusal.value) == (
        "This is about your own money: somebody else has to do it. "
        "Nobody else can so far: it takes another member of staff with this right."
    )
    refuse_own_money(sam, User.objects.create_user("zoe@example.com"), permission=RIGHT)


def test_staff_for_money_of_has_the_right_by_name_or_group_and_is_not_tied_to_the_customer(ann, sam, tom):
    permission = Permission.objects.get(codename="change_wallet", content_type__app_label="wallet")
    people = {name: User.objects.create_user(f"{name}@example.com", is_staff=True) for name in ("kay", "lee", "moe")}
    people["kay"].user_permissions.add(permission)
    group = Group.objects.create(name="till")
    group.permissions.add(permission)
    group.user_set.add(people["kay"], people["lee"])
    gone = User.objects.create_user("gone@example.com", is_staff=True, is_active=False)
    gone.user_permissions.add(permission)
    brought(sam, by=ann)
    brought(ann, by=people["lee"])

    assert list(staff_for_money_of(ann, RIGHT)) == [tom, people["kay"]]
