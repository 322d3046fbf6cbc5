"""Whose money a member of staff may move: never their own, nor that of whom they are tied to by a referral.

Nobody is above it, superusers included: what somebody could do for themselves alone, two have to agree on.
"""

from datetime import datetime, timedelta

from django.contrib.auth.backends import ModelBackend
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import TrailEntry, User

NAMED = 5  # of those who could do it instead
LATELY = timedelta(days=7)


class NotYourOwnMoney(Exception):
    """The money would be one's own, or that of a referral relation; nothing has changed. The text is for staff.

    With the `permission` that the act needs, the text says which of the colleagues can do it.
    """

    def __init__(self, staff: User, customer: User, permission: str = "") -> None:
        if staff.pk == customer.pk:
            text = _("This is about your own money: somebody else has to do it.")
        else:
            text = _("One of you brought the other to this shop: somebody else has to do it.")
        if permission:
            text = f"{text} {who_can_instead(customer, permission, besides=[staff])}"
        super().__init__(text)


def may_move_money_of(staff: User, customer: User) -> bool:
    """Return whether `staff` may decide about money of `customer`; False for both sides of a referral and oneself."""
    return customer.pk != staff.pk and customer.pk != staff.referred_by_id and customer.referred_by_id != staff.pk


def refuse_own_money(staff: User, customer: User, *, permission: str = "") -> None:
    """Return where `staff` may decide about money of `customer`. Raises NotYourOwnMoney.

    `permission`, like "wallet.change_wallet", is what the act needs: the error names who has it.
    """
    if not may_move_money_of(staff, customer):
        raise NotYourOwnMoney(staff, customer, permission)


def in_the_same_hands(staff: User, *, now: datetime) -> set[int]:
    """Return which accounts of staff may be one person with several, with that of `staff` itself, by the trail.

    Who takes somebody on, or changes their rights, address or factors, could be both; so could two whom the same one
    took on. What is longer ago than LATELY does not count: by then others have worked with them.
    """
    action = TrailEntry.Action
    acts = Q(action__in=(action.ADDED, action.RIGHTS, action.FACTORS)) | Q(
        action=action.CHANGED, after__has_key="email"
    )
    entries = TrailEntry.objects.filter(acts, created_at__gt=now - LATELY, target_type=User._meta.label)
    pairs = {(actor, int(target)) for actor, target in entries.values_list("actor_id", "target_id") if actor}
    # Customers are changed by many: they tie nobody.
    works_here = set(
        User.objects.filter(is_staff=True, pk__in={target for _, target in pairs}).values_list("pk", flat=True)
    )
    pairs = {(actor, target) for actor, target in pairs if target in works_here}
    found, before = {staff.pk}, set[int]()
    while found != before:
        before = set(found)
        found |= {one for pair in pairs if before & set(pair) for one in pair}
    return found


def staff_for_money_of(customer: User, permission: str) -> QuerySet[User]:
    """Return the staff that has a permission and may use it for this customer's money."""
    able = ModelBackend().with_perm(permission).filter(is_staff=True)
    # A row without a referrer is no relation either: `exclude` would drop it where SQL compares with NULL.
    unrelated = able.exclude(pk=customer.pk).filter(~Q(referred_by=customer.pk) | Q(referred_by=None))
    if customer.referred_by_id is not None:
        unrelated = unrelated.exclude(pk=customer.referred_by_id)
    return unrelated.order_by("pk")


def who_can_instead(customer: User, permission: str, *, besides: list[User]) -> str:
    """Return a sentence for staff: who can do what `besides` may not, or that nobody can so far."""
    return these_people_can(staff_for_money_of(customer, permission).exclude(pk__in=[user.pk for user in besides]))


def these_people_can(people: QuerySet[User]) -> str:
    """Return a sentence for staff that names these people, or says that nobody can so far."""
    emails = list(people.values_list("email", flat=True)[: NAMED + 1])
    if not emails:
        return _("Nobody else can so far: it takes another member of staff with this right.")
    named = ", ".join(emails[:NAMED]) + (", …" if len(emails) > NAMED else "")
    return _("These people can: %(people)s.") % {"people": named}


def tied_to(staff: User, customer: str = "pk") -> Q:
    """Return the condition of customers whose money this member of staff may not move; `customer` is their column."""
    brought = "referred_by" if customer == "pk" else f"{customer}__referred_by"
    tied = Q(**{customer: staff.pk}) | Q(**{brought: staff.pk})
    return tied if staff.referred_by_id is None else tied | Q(**{customer: staff.referred_by_id})


def are_tied(staff: str, customer: str) -> Q:
    """Return the condition of rows whose two users are one, or brought one another; for a filter, by their columns."""
    brought = Q(**{f"{staff}__referred_by": F(customer)}) | Q(**{f"{customer}__referred_by": F(staff)})
    return Q(**{staff: F(customer)}) | brought
