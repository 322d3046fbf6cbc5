"""Celery tasks of the catalog."""

import structlog
from celery import Task, shared_task
from django.conf import settings
from django.utils import timezone

from catalog.models import Service, SyncRun
from catalog.operations import back_in_stock, service_news
from catalog.operations.overrides import refresh_search_text
from catalog.operations.stock_alerts import may_be_back
from catalog.operations.titles import refresh_titles, titles_are_unread
from catalog.pricing import repricing
from catalog.sync.heard import tell_of_progress
from catalog.sync.import_rules import apply_import_rules, apply_import_rules_if_due
from catalog.sync.runs import SyncAlreadyRunning
from catalog.sync.sync_catalog import sync_catalog as bring_up_to_date
from catalog.sync.sync_translations import sync_translations as ask_for_translations
from catalog.sync.translation_rounds import is_due
from catalog.word_index import kept
from catalog.words import vocabulary
from upstream.client import default_client
from upstream.errors import UpstreamError

log = structlog.get_logger(__name__)
FULL_PASS_TRIES = 6
FULL_PASS_RETRY_SECONDS = 60


@shared_task(name="catalog.tasks.sync_catalog")
def sync_catalog() -> None:
    """Sync the catalog; a run that failed or was held back is in the list of sync runs, and the next one tries anew."""
    try:
        _sync(in_full=False)
    except _passing_troubles() as trouble:
        log.warning("sync_catalog_failed", error=str(trouble))


@shared_task(name="catalog.tasks.sync_catalog_in_full", bind=True, max_retries=FULL_PASS_TRIES)
def sync_catalog_in_full(self: Task) -> None:
    """Sync the catalog and ask for every subcategory. The next one is a day away: trouble is tried again in minutes."""
    try:
        _sync(in_full=True)
    except _passing_troubles() as trouble:
        log.warning("sync_catalog_in_full_failed", error=str(trouble), tries=self.request.retries)
        if self.request.retries < FULL_PASS_TRIES:
            raise self.retry(countdown=FULL_PASS_RETRY_SECONDS * (self.request.retries + 1)) from trouble


def _sync(*, in_full: bool) -> None:
    client = default_client(timeout_seconds=settings.UPSTREAM_SYNC_TIMEOUT_SECONDS)
    progress = tell_of_progress(SyncRun.Kind.CATALOG)
    run = bring_up_to_date(client=client, now=timezone.now(), in_full=in_full, progress=progress)
    log.info("sync_catalog", status=run.status, added=run.added, changed=run.changed, repriced=run.repriced,
             withdrawn=run.withdrawn, returned=run.returned, set_aside=len(run.set_aside), error=run.error)  # fmt: skip
    if in_full:
        refresh_search_text(Service.objects.all())  # a sync writes those it touches
        apply_import_rules()  # a sync goes by them where something is new or moved
    if run.added or run.returned:
        vocabulary.learn_words()
    if run.changed or run.returned:
        may_be_back()


@shared_task(name="catalog.tasks.sync_translations")
def sync_translations() -> None:
    """Ask for names in other languages, where that is due; what was interrupted goes on with a later message."""
    if not is_due(SyncRun.Kind.TRANSLATIONS, now=timezone.now()):
        return
    try:
        client = default_client(timeout_seconds=settings.UPSTREAM_SYNC_TIMEOUT_SECONDS)
        run = ask_for_translations(client=client, now=timezone.now())
    except _passing_troubles() as trouble:
        log.warning("sync_translations_failed", error=str(trouble))
    else:
        log.info("sync_translations", status=run.status, changed=run.changed, error=run.error)


def _passing_troubles() -> tuple[type[Exception], ...]:
    """Another sync at work, or an upstream that does not answer: nothing is lost, the next one does the work."""
    return SyncAlreadyRunning, UpstreamError


@shared_task(name="catalog.tasks.reprice_services")
def reprice_services() -> None:
    """Bring the stored selling rates up to date where a rule or a setting is not what it was; else do nothing."""
    done = repricing.reprice_if_due(now=timezone.now())
    if done is not None:
        log.info("reprice_services", changed=done.changed, version=done.version)


@shared_task(name="catalog.tasks.read_titles")
def read_titles() -> None:
    """Read the titles that nobody has read yet: those of services that were there before an update of the shop."""
    if titles_are_unread():
        refresh_titles()


@shared_task(name="catalog.tasks.refresh_titles")
def refresh_titles_of_all() -> None:
    """Read all titles anew; asked for when staff has changed a rule."""
    log.info("refresh_titles", changed=refresh_titles())


@shared_task(name="catalog.tasks.apply_import_rules")
def apply_rules_to_all() -> None:
    """Hide and show services as the import rules are now, where they are not what they were; else do nothing."""
    effect = apply_import_rules_if_due()
    if effect is not None:
        log.info("apply_import_rules", gone=effect.gone, back=effect.back)


@shared_task(name="catalog.tasks.keep_price_points")
def keep_price_points() -> None:
    """Keep today's prices where they have changed, for the price histories, and what is news of them."""
    log.info("keep_price_points", news=service_news.write_days_news(now=timezone.now()))


@shared_task(name="catalog.tasks.learn_words")
def learn_words() -> None:
    """Learn the words that services are described with, so that mistyped ones are understood."""
    vocabulary.learn_words()


@shared_task(name="catalog.tasks.keep_word_index")
def keep_word_index() -> None:
    """Make the index of words anew where the catalog is not what it was, so that searches need not ask the database."""
    kept.keep_word_index()


@shared_task(name="catalog.tasks.send_stock_alerts")
def send_stock_alerts() -> None:
    """Wake-up and sweep: write to those who wait for a service that can be ordered again."""
    back_in_stock.send_stock_alerts()
