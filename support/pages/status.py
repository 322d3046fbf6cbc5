"""The status page, and the feed of what staff says on it."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import linebreaks
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import PageRequest, personal_page
from preferences.doors import closed_doors
from preferences.face import LANGUAGES, STORE_NAME
from support.models import IncidentUpdate
from support.shown_now import telling
from support.status.board import board
from support.status.incidents import ahead, lasting, with_updates
from support.texts import in_readers_language

PAST_ON_A_PAGE, IN_THE_FEED = 10, 30
FEED_SECONDS = 60


@personal_page
@require_safe
def status(request: PageRequest) -> HttpResponse:
    """Show everybody how the shop is doing, what is wrong, what is planned, and what has been."""
    now = timezone.now()
    known = telling().incidents
    current = [incident.pk for incident in known if lasting(incident, now)]
    planned = [incident.pk for incident in known if ahead(incident, now)]
    told = {incident.pk: incident for incident in with_updates().filter(pk__in=[*current, *planned])}
    past = with_updates().filter(started_at__lte=now).exclude(pk__in=current)
    page = Paginator(past, PAST_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "board": board(now=now),
        "current": [told[pk] for pk in current if pk in told],
        "planned": [told[pk] for pk in reversed(planned) if pk in told],
        "past": page,
        "closed": closed_doors(),
    }
    return render(request, "support/status.html", context)


@require_safe
def status_feed(request: HttpRequest, language: str) -> HttpResponse:
    """Give what staff said of incidents as an Atom feed, in the language that the address names."""
    if language not in LANGUAGES.value:
        raise Http404
    page = settings.SITE_URL + reverse("support:status")
    address = settings.SITE_URL + reverse("support:status_feed", args=[language])
    with translation.override(language):
        feed = Atom1Feed(
            title=_("%(store_name)s: status") % {"store_name": STORE_NAME.value},
            link=page,
            description=_("Incidents and planned work"),
            language=language,
            feed_url=address,
            feed_guid=address,  # each language is a feed of its own
        )
        for update in IncidentUpdate.objects.select_related("incident")[:IN_THE_FEED]:
            title = in_readers_language(update.incident.titles, language)
            feed.add_item(
                title=f"{update.get_stage_display()}: {title}",
                link=f"{page}#incident-{update.incident_id}",
                # What reads feeds takes this for HTML.
                description=linebreaks(in_readers_language(update.texts, language), autoescape=True),
                unique_id=f"{address}#update-{update.pk}",
                pubdate=update.created_at,
                updateddate=update.created_at,
                author_name=STORE_NAME.value,
            )
        text = feed.writeString("utf-8")
    response = HttpResponse(text, content_type=f"{feed.content_type}")
    patch_cache_control(response, public=True, max_age=FEED_SECONDS)
    return response
