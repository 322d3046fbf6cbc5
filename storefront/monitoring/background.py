"""Is what works in the background well: beat and workers, the jobs that run seldom, the audit, the limits of calls?"""

import time
from collections.abc import Callable
from contextlib import suppress

import redis
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from storefront.monitoring import shared_counts
from storefront.monitoring.deployment import Trouble, Unwise
from storefront.monitoring.health import heartbeat_age, heartbeat_every, heartbeat_holds, silent_queues
from storefront.monitoring.scheduled_jobs import LastRun, last_runs
from support.status.words import duration
from upstream.client import default_client
from upstream.errors import UpstreamNotConfigured

CATCH_UP_SECONDS = 600


def _beat() -> str:
    age, every, silent = heartbeat_age(), heartbeat_every(), silent_queues()
    if age is not None and age <= heartbeat_holds() and not silent:
        return _("last heartbeat %(age).0f s ago") % {"age": age}
    began = _began_seconds_ago(unheard_of=age is None)
    if began is not None and began <= heartbeat_holds():
        raise Unwise(
            _("started %(began).0f s ago, the first heartbeat is due within %(every).0f s; ask again")
            % {"began": began, "every": every}
        )
    if age is None:
        raise Trouble(_("no sign of beat and a worker; are both running?"))
    if age <= heartbeat_holds():
        raise Trouble(
            _("nothing was heard of a worker for the queues %(names)s lately; is each served by one?")
            % {"names": ", ".join(silent)}
        )
    raise Trouble(
        _("the last heartbeat is %(age).0f s old, one is due every %(every).0f s; is the worker busy or gone?")
        % {"age": age, "every": every}
    )


def _began_seconds_ago(*, unheard_of: bool) -> float | None:
    """Return how long ago the youngest worker or beat began; of a shop unheard of its web process counts as well."""
    roles = {"worker", "beat"} | ({"web"} if unheard_of else set())
    began = [process.began_at for process in shared_counts.processes() if process.role in roles]
    return time.time() - max(began) if began else None


def _just_began() -> bool:
    with suppress(redis.RedisError, OSError):
        began = _began_seconds_ago(unheard_of=False)
        return began is not None and began < CATCH_UP_SECONDS
    return False


def _jobs() -> str:
    runs = list(last_runs(timezone.now()))
    late, failed = [run for run in runs if run.is_late], [run for run in runs if run.failed and not run.is_late]
    if late:
        # After a time without beat all of them are late at first, and are done one after the other.
        kind = Unwise if _just_began() else Trouble
        raise kind(_("not done in time: %(jobs)s") % {"jobs": _named(late)})
    if failed:
        raise Unwise(_("failed the last time: %(jobs)s") % {"jobs": _named(failed)})
    words = ngettext("%(count)d seldom job is in time", "%(count)d seldom jobs are in time", len(runs))
    cleaned = next((run for run in runs if run.name == "forget_old_rows" and run.ran), None)
    said = words % {"count": len(runs)}
    if cleaned is None:
        return said
    return _("%(jobs)s; old rows were cleaned up %(time)s ago") % {"jobs": said, "time": duration(cleaned.age_seconds)}


def _audit() -> str:
    audit = next((run for run in last_runs(timezone.now()) if run.name == "audit_books"), None)
    if audit is None or not audit.ran:
        return _("the books were not proved yet: beat asks for it")
    ago = duration(audit.age_seconds)
    if problems := audit.figures.get("problems"):
        words = ngettext(
            "the audit found %(count)d problem %(time)s ago",
            "the audit found %(count)d problems %(time)s ago",
            problems,
        )
        raise Trouble(words % {"time": ago, "count": problems})
    if audit.is_late:
        raise Trouble(_("the books were last proved %(time)s ago") % {"time": ago})
    return _("the books added up %(time)s ago") % {"time": ago}


def _limits() -> str:
    try:
        limiter = default_client().limiter
    except UpstreamNotConfigured:
        limiter = None
    if limiter is None:
        return _("there are none")
    limits = {
        "per_second": f"UPSTREAM_MAX_PER_SECOND={settings.UPSTREAM_MAX_PER_SECOND}",
        "in_flight": f"UPSTREAM_MAX_IN_FLIGHT={settings.UPSTREAM_MAX_IN_FLIGHT}",
        "under_way": limiter.under_way(),
    }
    if limiter.holds_back():
        raise Unwise(
            _("purchases wait for the limits of calls, %(per_second)s and %(in_flight)s; %(under_way)d are under way")
            % limits
        )
    return _("no purchase waits for %(per_second)s or %(in_flight)s") % limits


def _named(runs: list[LastRun]) -> str:
    return ", ".join(f"{run.name} ({duration(run.age_seconds)})" for run in runs)


PARTS: dict[str, Callable[[], str]] = {"beat": _beat, "jobs": _jobs, "audit": _audit, "limits": _limits}
