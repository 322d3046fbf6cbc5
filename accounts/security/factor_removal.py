"""Taking somebody else's second factors away, because they are lost: at the admin, or by whoever runs the shop."""

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import User
from accounts.security.notices import tell_of_change
from accounts.security.sessions import end_all_sessions
from accounts.security.staff_factors import FACTORS
from accounts.trail import Action, record


@transaction.atomic
def remove_factors(
    user: User, *, actor: User | None, request: HttpRequest | None = None, only: set[int] | None = None
) -> list[str]:
    """Remove an account's second factors, or `only` those of these numbers; return their types, [] for none.

    Recovery codes go with the last factor. Every session of the account ends: whoever holds one must not set up the
    next factor. The person is told by mail and, of staff's, `actor` as well; None is the command line.
    """
    User.objects.select_for_update().get(pk=user.pk)
    factors = list(Authenticator.objects.filter(user=user))
    going = [factor for factor in factors if only is None or factor.pk in only]
    if not any(factor.type in FACTORS for factor in factors if factor not in going):
        going = factors if going else []
    if not going:
        return []
    types = sorted(factor.type for factor in going)
    Authenticator.objects.filter(pk__in=[factor.pk for factor in going]).delete()
    record(Action.FACTORS, actor=actor, target=user, request=request, after={"removed": types})
    end_all_sessions(user)
    _tell(user, actor)
    return types


def _tell(user: User, actor: User | None) -> None:
    # From where staff works is nothing the person has to know; that it was staff, they are told.
    with override(user.mail_language):
        text = _(
            "Your second factor was removed by the shop's staff, and you were signed out everywhere. If you didn't ask "
            "for it, tell us at once."
        )
        tell_of_change(user, text, by_staff=True)
    if user.is_staff and actor is not None:
        with override(actor.mail_language):
            tell_of_change(actor, _("You removed the second factor of %(email)s.") % {"email": user.email})
