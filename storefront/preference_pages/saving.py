"""Storing what a form of preferences wants, with the trail and what is said about it."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.admin.widgets import member_of_staff
from accounts.trail import Action, record
from preferences.change import ChangedMeanwhile, Disagree, change_preferences
from preferences.models import PreferenceChange
from preferences.pictures import keep
from storefront.preference_pages.forms import PreferencesForm


def save_typed(request: HttpRequest, form: PreferencesForm) -> bool:
    """Store what a valid form wants; False, with the reason at the form, where it may not be."""
    user, now = member_of_staff(request), timezone.now()
    seen = form.cleaned_data["seen"]
    try:
        with transaction.atomic():
            keep(form.pictures)
            made = change_preferences(form.wanted, seen=seen, actor_id=user.pk, actor=str(user), now=now)
            put_on_the_trail(request, made)
    except Disagree as disagreement:  # with what somebody else has just saved
        form.refuse_together(disagreement)
        return False
    except ChangedMeanwhile as changed:
        name = str(changed)
        typed = request.POST.copy()
        typed["seen"] = str(newest_change())
        form.data = typed
        text = _(
            "Somebody else has changed this since you opened the page, so nothing has been saved. Look at the "
            "history below. To save your values all the same, save again."
        )
        form.add_error(next(field for field in form.fields if field.startswith(name)), text)
        return False
    if made:
        messages.success(request, _("Saved. All pages show it within a few seconds."))
    else:
        messages.info(request, _("Nothing was different, so nothing has been saved."))
    return True


def put_on_the_trail(request: HttpRequest, made: list[PreferenceChange]) -> None:
    """Put changes on the trail, all in one entry."""
    if made:
        before, after = ({row.name: getattr(row, side) for row in made} for side in ("before", "after"))
        actor = member_of_staff(request)
        record(Action.CHANGED, actor=actor, target=made[-1], request=request, before=before, after=after)


def newest_change() -> int:
    """Return the number of the newest change of all; 0 where there is none."""
    newest = PreferenceChange.objects.first()
    return 0 if newest is None else newest.pk
