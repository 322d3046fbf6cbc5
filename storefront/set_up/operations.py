"""What is done in the set-up: a step is tried out or put off, the first sync begins, the shop opens."""

from datetime import datetime

from django.core import mail
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.trail import Action, record
from notifications.letters import letter_mail
from notifications.wake_worker import wake_worker
from preferences.change import change_preferences
from preferences.doors import SET_UP_DONE, WHOLE_SHOP
from preferences.face import STORE_NAME
from storefront.models import SetUpStep
from storefront.monitoring.doctor import ANSWERED_SECONDS
from storefront.set_up.progress import State, ask, is_open, standings
from storefront.set_up.steps import Step

SYNCS = ("catalog.tasks.sync_catalog", "sms.tasks.sync_sms")
BEGUN, BEGUN_SECONDS = "set-up-sync-begun", 60  # after that no worker takes the message any more


class AlreadyOpen(Exception):
    """The set-up is over: somebody has opened the shop meanwhile."""


class CannotBePutOff(Exception):
    """The shop does not open without this step."""


class NotSettled(Exception):
    """Steps are left to do; the argument has them."""


def check_step(step: Step, *, actor: User, now: datetime) -> SetUpStep:
    """Try a step out, asking whoever has to answer, and keep what was found. Raises AlreadyOpen."""
    _refuse_when_open()
    well, said = ask(step)
    if well and step.name == "e-mail":
        well, said = _try_to_mail(actor.email)
    row = _keep(step, State.DONE if well else State.FAILED, said, actor=actor, now=now)
    if well and step.name == "upstream":
        begin_sync()
    return row


def skip_step(step: Step, *, actor: User, now: datetime) -> SetUpStep:
    """Put a step off. Raises AlreadyOpen, CannotBePutOff."""
    _refuse_when_open()
    if not step.skipped:
        raise CannotBePutOff(step.name)
    return _keep(step, State.SKIPPED, "", actor=actor, now=now)


def begin_sync() -> None:
    """Let a worker copy the catalog; one that runs already goes on alone. Returns at once."""
    cache.set(BEGUN, timezone.now(), timeout=BEGUN_SECONDS)
    for task in SYNCS:
        wake_worker(task)


def sync_begun_at() -> datetime | None:
    """Return when a sync was asked for that a worker may not have begun yet; None where none was lately."""
    found: datetime | None = cache.get(BEGUN)
    return found


def open_shop(*, actor: User, now: datetime) -> None:
    """End the set-up for good and let everybody in. Raises AlreadyOpen, NotSettled."""
    with transaction.atomic():
        _refuse_when_open()
        if left := [one.step for one in standings() if not one.is_settled]:
            raise NotSettled(left)
        wanted = {SET_UP_DONE: True, WHOLE_SHOP.closed: None}
        changed = change_preferences(wanted, actor_id=actor.pk, actor=str(actor), now=now)
        if not changed:  # another owner was a moment faster
            raise AlreadyOpen
        made = {row.name: row.after for row in changed}
        record(Action.CHANGED, actor=actor, target=changed[0], before={SET_UP_DONE.name: False}, after=made)


def close_set_up(*, now: datetime) -> None:
    """End the set-up of a shop that is made ready by a program: the demo."""
    if is_open():
        change_preferences({SET_UP_DONE: True}, actor_id=None, actor="", now=now)


def _refuse_when_open() -> None:
    if not is_open():
        raise AlreadyOpen


def _keep(step: Step, state: str, said: str, *, actor: User, now: datetime) -> SetUpStep:
    with transaction.atomic():
        kept = {"state": state, "said": said, "at": now}
        row, _is_new = SetUpStep.objects.update_or_create(name=step.name, defaults=kept)
        record(Action.ACTED, actor=actor, after={"set_up": step.name, "state": state})
    return row


def _try_to_mail(address: str) -> tuple[bool, str]:
    """Send a mail to the owner while they wait, so that what is wrong is said here."""
    subject = _("Emails of %(store)s arrive") % {"store": STORE_NAME.value}
    body = _("This is the test email of your shop's set-up. There is nothing to do.")
    message = letter_mail(address, subject, body, language=get_language() or "")
    try:
        with mail.get_connection(timeout=ANSWERED_SECONDS) as backend:
            message.connection = backend
            message.send()
    except Exception as error:  # each backend fails in its own way, and that is what the owner needs to read
        return False, _("the test email to %(address)s could not be sent: %(error)s") % {
            "address": address,
            "error": " ".join(str(error).split()) or type(error).__name__,
        }
    return True, _("the test email to %(address)s has been taken. Look whether it has arrived, and whether as spam") % {
        "address": address
    }
