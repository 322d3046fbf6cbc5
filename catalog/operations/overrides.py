"""What staff sets itself and every sync leaves alone: names, the units that rates are for, what is shown."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce

from catalog.models import Category, Service
from catalog.pricing.repricing import lock_prices
from catalog.sync import tables
from catalog.sync.import_rules import rules_leave_out
from catalog.sync.names import own_names

SEARCHED = (
    "name",
    "display_name",
    "short_title_override",
    "category_id",
    "subcategory_id",
    "translated_names",
    "search_text",
)
READ_AT_ONCE = 2000


def refresh_search_text(services: QuerySet[Service]) -> int:
    """Make these services findable by the names they have now; return how many had another search text.

    For the admin who has just renamed services or their category; a sync does the same for all of them.
    """
    names = tables.names()
    stale = []
    for service in services.only(*SEARCHED, "search_text").iterator(chunk_size=READ_AT_ONCE):
        place = service.category_id, service.subcategory_id
        own = own_names(service.display_name, service.short_title_override)
        text = names.search_text(service.name, own, *place, service.translated_names)
        if text != service.search_text:
            service.search_text = text
            stale.append(service)
    Service.objects.bulk_update(stale, ["search_text"], batch_size=200)
    return len(stale)


def choose_rate_unit(category: Category, rate_per: int, *, now: datetime) -> bool:
    """Take this unit as certain for a category that had none confirmed; return whether it was so.

    Where it is another one than the shop assumed, the stored selling rates have to be made again: call it with
    `lock_prices` held.
    """
    unconfirmed = Category.objects.filter(pk=category.pk, rate_confirmed_at=None)
    return bool(unconfirmed.update(rate_per=rate_per, rate_confirmed_at=now))


def confirm_rate_units(categories: QuerySet[Category], *, now: datetime) -> int:
    """Take the units that these categories are priced in now as certain; return how many were not before.

    The unit is written down with it: another default later does not change what has been confirmed.
    """
    unit = Coalesce("rate_per", Value(settings.DEFAULT_RATE_PER))
    return categories.filter(rate_confirmed_at=None).update(rate_confirmed_at=now, rate_per=unit)


def show_or_hide(ids: list[int], *, visible: bool) -> tuple[int, int]:
    """Show or hide these services; return how many became so, and how many stay hidden because a rule leaves them out.

    The import rules are asked first: no service is on sale for a moment that they leave out.
    """
    with transaction.atomic():
        lock_prices()
        chosen = Service.objects.filter(pk__in=tables.set_of(ids))
        if not visible:
            changed = chosen.filter(visible=True).update(visible=False)
            chosen.filter(left_out=True).update(left_out=False)  # from now on it is staff who hides them
            return changed, 0
        left_out = tables.set_of(rules_leave_out(ids))
        # Staff wants to sell them: they come back without the rule.
        staying = chosen.filter(pk__in=left_out).update(visible=False, left_out=True)
        return chosen.exclude(pk__in=left_out).filter(visible=False).update(visible=True, left_out=False), staying
