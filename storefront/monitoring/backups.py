"""Is there a backup, and is it young enough?"""

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from storefront.configuration.deployment import host_of, is_public
from storefront.models import Backup
from storefront.monitoring.deployment import Trouble

USUAL_SECONDS = 21_600.0


def backup_is_too_old() -> float:
    """Return from which age in seconds the last good backup says that no more are made: two were left out."""
    job = settings.CELERY_BEAT_SCHEDULE.get("back_up", {})
    return 2.5 * float(job.get("schedule", USUAL_SECONDS))


def last_backup() -> str:
    """Return when the last good backup was taken, how large it is and where. Raises Trouble where it is too old.

    Of a shop that strangers reach none at all is trouble as well.
    """
    good, newest = Backup.newest_good(), Backup.objects.first()
    if good is None:
        if newest is not None and newest.error:
            raise Trouble(_("none has succeeded: %(why)s") % {"why": newest.error})
        if settings.BACKUPS.to or is_public(host_of(settings.SITE_URL)):
            raise Trouble(_("there is none yet; set BACKUP_TO and BACKUP_RECIPIENTS, or run manage.py backup"))
        return _("none is made: BACKUP_TO is not set")
    age = (timezone.now() - good.started_at).total_seconds()
    words = {"hours": f"{age / 3600:.1f}", "size": filesizeformat(good.size_bytes or 0), "place": good.place}
    if age > backup_is_too_old():
        why = newest.error if newest is not None and newest.pk != good.pk else ""
        raise Trouble(" ".join([_("the last good one is %(hours)s hours old, at %(place)s") % words, why]).strip())
    return _("%(hours)s hours ago, %(size)s, at %(place)s, read again") % words
