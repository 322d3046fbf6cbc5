"""Gauges of the shop itself: its queues, processes and jobs, and what waits for staff."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import Error, connections
from django.db.models import Min, Q, QuerySet

from api.models import WebhookDelivery
from catalog.caching.replica import REPLICA
from notifications.models import Letter, Notice
from notifications.outbox import MAX_TRIES
from storefront import __version__
from storefront.admin_home.lines import Survey
from storefront.admin_home.queue import KINDS
from storefront.configuration.queues import QUEUES
from storefront.metrics.facts import Facts, Gauge, Values, by, one
from storefront.monitoring import shared_counts
from storefront.monitoring.connections import replica_lag
from storefront.monitoring.health import heartbeat_age, silent_queues, tasks_waiting_by_queue
from storefront.monitoring.scheduled_jobs import last_runs
from support.status import measures

ROLES = ("web", "worker", "beat")
MOST_COUNTED = 10_000  # of a queue: beyond that nobody needs to know how long it is


def _queues(now: datetime) -> dict[str, Values]:
    due = Q(not_before=None) | Q(not_before__lte=now)
    notices = Notice.objects.filter(due, sent_at=None, tries__lt=MAX_TRIES)
    if not settings.ADMINS:  # theirs wait for nobody
        notices = notices.exclude(user=None)
    letters = Letter.objects.filter(not_before__lte=now)
    webhooks = WebhookDelivery.objects.due(now)
    mail_age = max(_age(notices, "created_at", now), _age(letters, "created_at", now))
    return {
        "shop_mails_waiting": one(_length(notices) + _length(letters)),
        "shop_mail_oldest_waiting_seconds": one(mail_age),
        "shop_webhooks_waiting": one(_length(webhooks)),
        "shop_webhook_oldest_waiting_seconds": one(_age(webhooks, "next_attempt_at", now)),
    }


def _processes(now: datetime) -> dict[str, Values]:
    found = shared_counts.processes()
    told: dict[str, Values] = {
        "shop_processes": by("role", {}, also=ROLES) if not found else _by_role(found, lambda group: len(group)),
        "shop_process_memory_bytes": _by_role(found, lambda group: max(process.memory_bytes for process in group)),
        "shop_tasks_waiting": by("queue", {name: float(count) for name, count in tasks_waiting_by_queue().items()}),
        "shop_queue_unserved": by("queue", dict.fromkeys(silent_queues(), 1.0), also=QUEUES),
    }
    age = heartbeat_age()
    if age is not None:
        told["shop_heartbeat_age_seconds"] = one(age)
    return told


def _by_role(found: list[shared_counts.Process], figure: Any) -> Values:
    groups = {role: [process for process in found if process.role == role] for role in ROLES}
    return by("role", {role: float(figure(group)) if group else 0.0 for role, group in groups.items()})


def _jobs(now: datetime) -> dict[str, Values]:
    runs = list(last_runs(now))
    told: dict[str, Values] = {
        "shop_job_age_seconds": by("job", {run.name: run.age_seconds for run in runs}),
        "shop_job_interval_seconds": by("job", {run.name: run.every_seconds for run in runs}),
        "shop_job_failed": by("job", {run.name: float(run.failed) for run in runs}),
    }
    for run in runs:
        if run.name == "audit_books":
            told["shop_audit_age_seconds"] = one(run.age_seconds)
            if "problems" in run.figures:
                told["shop_audit_problems"] = one(run.figures["problems"])
    sync = measures.catalog_read(now)
    if sync is not None:
        told["shop_sync_age_seconds"] = one(sync.figure["age"])
    return told


def _staff(now: datetime) -> dict[str, Values]:
    survey = Survey(now)
    return {"shop_waiting_for_staff": by("kind", {kind.name: float(kind.read(survey).total) for kind in KINDS})}


def _replica(now: datetime) -> dict[str, Values]:
    if REPLICA not in settings.DATABASES:
        return {}
    try:
        return {"shop_replica_up": one(1.0), "shop_replica_lag_seconds": one(replica_lag())}
    except Error:
        return {"shop_replica_up": one(0.0)}
    finally:
        connections[REPLICA].close()


def _build(now: datetime) -> dict[str, Values]:
    return {"shop_build_info": [({"version": __version__}, 1.0)]}


def _length(rows: QuerySet[Any]) -> int:
    return rows.order_by()[:MOST_COUNTED].count()


def _age(rows: QuerySet[Any], column: str, now: datetime) -> float:
    oldest: datetime | None = rows.order_by().aggregate(oldest=Min(column))["oldest"]
    return 0.0 if oldest is None else max((now - oldest).total_seconds(), 0.0)


FACTS = (
    Facts(
        "queues",
        (
            Gauge("shop_mails_waiting", "News and letters that could leave now, counted to ten thousand."),
            Gauge("shop_mail_oldest_waiting_seconds", "Age of the oldest of them."),
            Gauge("shop_webhooks_waiting", "Webhook messages that are due, counted to ten thousand."),
            Gauge("shop_webhook_oldest_waiting_seconds", "For how long the first of them has been due."),
        ),
        _queues,
        kept_seconds=15.0,
    ),
    Facts(
        "processes",
        (
            Gauge("shop_processes", "Processes that were heard of in the last forty seconds, on all hosts.", ("role",)),
            Gauge("shop_process_memory_bytes", "Memory of the largest process.", ("role",)),
            Gauge("shop_tasks_waiting", "Messages that wait for a worker.", ("queue",)),
            Gauge("shop_queue_unserved", "1 for each queue of which no worker has been heard lately.", ("queue",)),
            Gauge("shop_heartbeat_age_seconds", "When beat and a worker were last alive together; absent: unheard of."),
        ),
        _processes,
        kept_seconds=1.0,
    ),
    Facts(
        "jobs",
        (
            Gauge("shop_job_age_seconds", "When a job that beat asks for seldom last succeeded.", ("job",)),
            Gauge("shop_job_interval_seconds", "How often it should.", ("job",)),
            Gauge("shop_job_failed", "1 if it failed the last time.", ("job",)),
            Gauge("shop_audit_age_seconds", "When the books were last proved."),
            Gauge("shop_audit_problems", "What the last audit found wrong in the books."),
            Gauge("shop_sync_age_seconds", "When prices and stock were last compared with the supplier's."),
        ),
        _jobs,
        kept_seconds=15.0,
    ),
    Facts(
        "staff",
        (Gauge("shop_waiting_for_staff", "What waits for a human, as the admin's first page counts it.", ("kind",)),),
        _staff,
        kept_seconds=60.0,
    ),
    Facts(
        "replica",
        (
            Gauge("shop_replica_up", "1 while the replica of the database answers; absent: there is none."),
            Gauge("shop_replica_lag_seconds", "For how long it has not reached what the primary has written."),
        ),
        _replica,
    ),
    Facts("build", (Gauge("shop_build_info", "1 for the version that answers.", ("version",)),), _build),
)
