"""Numbers on sale: found by website or country, priced, sorted, with what is popular and one's own first."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.words.synonyms import synonyms
from sms.models import Country, Number, NumberMarkupRule, Project, Site, SuccessRate
from tests.pages import HTMX, hidden, markup, page_words
from tests.storefront.admin_rows import make_order

pytestmark = pytest.mark.django_db
HOME = "/sms/"
NAMES = {"us": "United States", "gb": "United Kingdom", "de": "Germany", "ua": "Ukraine"}


@pytest.fixture
def shop(client: Any, ann: Any) -> Any:
    """The browser of Ann, who is signed in."""
    client.force_login(ann)
    return client


@pytest.fixture
def put(db: None) -> Any:
    """Put numbers on sale: `put("Telegram", us=100, gb=50)`, in cents."""

    def on_sale(name: str, **cents: int) -> dict[str, Project]:
        made = {}
        for code, price in cents.items():
            country, _created = Country.objects.get_or_create(code=code, defaults={"name": NAMES[code]})
            made[code] = Project.objects.create(
                upstream_id=uuid.uuid4().hex, country=country, name=name, price_upstream_micros=price * 10_000
            )
        return made

    return on_sale


def succeed(project: Project, observed: int, received: int, median: int | None = 14) -> None:
    SuccessRate.objects.create(
        project=project, observed=observed, received=received, median_seconds=median, counted_at=timezone.now()
    )


def bought(user: Any, project: Project) -> None:
    Number.objects.create(order=make_order(user), project=project, phone="+1", state=Number.State.RECEIVED)


def section(response: Any, name: str) -> str:
    """The markup of a section of the page by its heading's id, or nothing."""
    found = re.search(rf'<section[^>]*aria-labelledby="{name}">(.*?)</section>', markup(response))
    return found[1] if found else ""


def tiles(response: Any, name: str) -> list[str]:
    found = re.findall(r'<span class="place-tile__name">([^<]+)', section(response, name))
    return [one.strip() for one in found]


def offers(response: Any) -> list[str]:
    """What each offer's button says it buys."""
    return re.findall(r'(?:Buy|Sign in to buy)<span class="visually-hidden">: ([^<]+)</span>', markup(response))


def site_page(project: Project) -> str:
    return f"/sms/sites/{project.site_id}/"


# --- Service first and country first --------------------------------------------------------------------------------


def test_home_shows_each_website_once_with_its_cheapest_price_and_its_countries(shop: Any, put: Any) -> None:
    telegram = put("Telegram", us=100, gb=40, de=80)
    put("Viber", us=20)
    NumberMarkupRule.objects.create(scope="country", country=telegram["gb"].country, percent=400)

    page = shop.get(HOME)

    assert tiles(page, "all") == ["Telegram", "Viber"]
    assert "Telegram from $1.00, 3 countries" in page_words(page)  # not 0.40 + 400 %
    assert "Viber from $0.25, 1 country" in page_words(page)


def test_home_by_country_shows_flag_dial_code_and_the_name_in_the_readers_language(shop: Any, put: Any) -> None:
    put("Telegram", gb=40, de=80)
    put("Viber", gb=20)

    page = shop.get(HOME, {"by": "country"})
    russian = shop.get(HOME, {"by": "country"}, headers={"Accept-Language": "ru"})

    assert tiles(page, "all") == ["Germany", "United Kingdom"]
    assert "🇬🇧 United Kingdom +44 from $0.25, 2 websites and apps" in page_words(page)
    assert tiles(russian, "all") == ["Великобритания", "Германия"]


def test_home_hides_what_is_not_on_sale(shop: Any, put: Any) -> None:
    hidden_country = put("A", us=1)["us"]
    withdrawn, hidden_site, forbidden, hidden_row = (put(name, gb=1)["gb"] for name in "BCDE")
    Country.objects.filter(pk=hidden_country.country_id).update(visible=False)
    Project.objects.filter(pk=withdrawn.pk).update(withdrawn_at=timezone.now())
    Site.objects.filter(pk=hidden_site.site_id).update(visible=False)
    Site.objects.filter(pk=forbidden.site_id).update(forbidden=True)
    Project.objects.filter(pk=hidden_row.pk).update(visible=False)

    for asked in ({}, {"by": "country"}, {"q": "a"}, {"q": "united"}):
        page = shop.get(HOME, asked)
        assert "place-tile__name" not in page.content.decode()
        assert offers(page) == []
    assert shop.get(site_page(hidden_site)).status_code == 404
    assert shop.get(site_page(forbidden)).status_code == 404
    assert shop.get("/sms/countries/us/").status_code == 404


def test_home_puts_what_is_popular_and_the_customers_own_first(shop: Any, put: Any, ann: Any, ben: Any) -> None:
    telegram, viber, signal = put("Telegram", us=100, gb=40), put("Viber", us=20), put("Signal", us=20)
    succeed(viber["us"], 30, 1)
    succeed(telegram["us"], 20, 1)
    succeed(telegram["gb"], 20, 1)
    bought(ann, signal["us"])
    bought(ann, telegram["gb"])
    bought(ann, signal["us"])
    bought(ben, viber["us"])

    page, by_country = shop.get(HOME), shop.get(HOME, {"by": "country"})

    assert tiles(page, "popular") == ["Telegram", "Viber"]
    assert tiles(by_country, "popular") == ["United States", "United Kingdom"]
    assert re.findall(r": ([^<]+)</span></button>", section(page, "recent")) == [
        "Signal, United States",
        "Telegram, United Kingdom",
    ]


# --- What a website costs where -------------------------------------------------------------------------------------


def test_site_lists_its_countries_sorted_as_asked(shop: Any, put: Any, ann: Any) -> None:
    telegram = put("Telegram", us=100, gb=40, de=80, ua=60)
    put("Viber", us=1)
    succeed(telegram["us"], 40, 30)
    succeed(telegram["gb"], 25, 20, median=9)
    succeed(telegram["de"], 19, 19)  # too few to tell
    bought(ann, telegram["ua"])

    def order(**asked: str) -> list[str]:
        return [name.removeprefix("Telegram, ") for name in offers(shop.get(site_page(telegram["us"]), asked))]

    assert order() == ["Ukraine", "United States", "United Kingdom", "Germany"]
    assert order(sort="price") == ["United Kingdom", "Ukraine", "Germany", "United States"]
    assert order(sort="success") == ["United Kingdom", "United States", "Ukraine", "Germany"]
    assert order(sort="nonsense") == order()


def test_success_is_told_from_enough_numbers_on(shop: Any, put: Any, settings: Any) -> None:
    settings.SMS_SUCCESS_MIN_OBSERVED = 20
    telegram = put("Telegram", us=100, gb=40)
    succeed(telegram["us"], 20, 17, median=14)
    succeed(telegram["gb"], 19, 19, median=3)

    page = page_words(shop.get(site_page(telegram["us"])))

    assert "85% success usually 14 s 20 numbers" in page
    assert page.count("% success") == 1
    assert "in the last 7 days" in page


def test_tile_tells_how_often_codes_came_in_all_its_countries_together(shop: Any, put: Any, settings: Any) -> None:
    settings.SMS_SUCCESS_MIN_OBSERVED = 20
    telegram, viber = put("Telegram", us=100, gb=40), put("Viber", us=20)
    succeed(telegram["us"], 15, 15)
    succeed(telegram["gb"], 15, 6)
    succeed(viber["us"], 19, 19)

    page = page_words(shop.get("/sms/"))

    assert re.findall(r"(\d+) countr\S+ (\d+)% success", page) == [("2", "70"), ("2", "70")]  # popular, and all
    assert "1 country Telegram" not in page


def test_country_lists_what_can_be_had_there(shop: Any, put: Any) -> None:
    put("Telegram", us=100, gb=40)
    put("Viber", us=20)

    page = shop.get("/sms/countries/us/", {"sort": "price"})

    assert offers(page) == ["Viber, United States", "Telegram, United States"]
    assert "🇺🇸 United States +1" in page_words(page)


def test_country_whose_code_is_a_dial_code_has_a_page(shop: Any, put: Any) -> None:
    country = Country.objects.create(code="+93", name="afghanistan")
    Project.objects.create(upstream_id="1", country=country, name="Viber", price_upstream_micros=1_000_000)

    page = shop.get(HOME, {"by": "country"})
    [address] = re.findall(r'class="place-tile" href="([^"]+)"', page.content.decode())

    assert offers(shop.get(address)) == ["Viber, Afghanistan"]


def test_site_and_country_are_narrowed_by_words_as_they_are_typed(shop: Any, put: Any) -> None:
    telegram = put("Telegram", us=100, gb=40, de=80)
    put("Viber", us=20)

    part = shop.get(site_page(telegram["us"]), {"q": "+44"}, headers=HTMX)

    assert offers(part) == ["Telegram, United Kingdom"]
    assert "<html" not in part.content.decode()
    assert offers(shop.get("/sms/countries/us/", {"q": "vib"})) == ["Viber, United States"]
    assert "Nothing found" in page_words(shop.get("/sms/countries/us/", {"q": "nothing"}))


# --- Search over both -----------------------------------------------------------------------------------------------


def test_search_finds_websites_countries_and_one_in_the_other(shop: Any, put: Any) -> None:
    put("Telegram", us=100, ua=40)
    put("Viber", ua=20)

    both = shop.get(HOME, {"q": "UKR tele"})
    site = shop.get(HOME, {"q": "tele"})
    country = shop.get(HOME, {"q": "украина"})

    assert (tiles(both, "found-sites"), tiles(both, "found-countries")) == ([], [])
    assert offers(both) == ["Telegram, Ukraine"]
    assert (tiles(site, "found-sites"), offers(site)) == (
        ["Telegram"],
        ["Telegram, Ukraine", "Telegram, United States"],
    )
    assert (tiles(country, "found-countries"), offers(country)) == (
        ["Ukraine"],
        ["Viber, Ukraine", "Telegram, Ukraine"],
    )


@pytest.mark.parametrize("words", ["us", "+1", "1", "usa", "united states", "США"])
def test_search_finds_a_country_by_everything_it_is_called(shop: Any, put: Any, words: str) -> None:
    put("Telegram", us=100, gb=40, de=20)

    assert tiles(shop.get(HOME, {"q": words}), "found-countries")[0] == "United States"


def test_search_finds_a_website_by_the_words_staff_gave_it(shop: Any, put: Any) -> None:
    site = put("Telegram", us=100)["us"].site
    Site.objects.filter(pk=site.pk).update(aliases="TG", search_text="telegram tg")

    assert tiles(shop.get(HOME, {"q": "tg"}), "found-sites") == ["Telegram"]


def test_search_asked_by_htmx_answers_with_the_results_alone(shop: Any, put: Any) -> None:
    put("Telegram", us=100)

    part = shop.get(HOME, {"q": "telegram"}, headers=HTMX)

    assert part.content.decode().strip().startswith('<div class="stack dims" id="results">')
    assert "$1.25 each" in page_words(part)


@pytest.mark.parametrize("words", ["%", "_", "\0", "' OR 1=1", "x" * 500, "qq " * 50])
def test_search_when_the_words_are_odd_finds_nothing_and_breaks_nothing(shop: Any, put: Any, words: str) -> None:
    put("Telegram", us=100)

    assert "place-tile__name" not in section(shop.get(HOME, {"q": words}), "found-countries")


def test_pages_for_a_visitor_show_prices_and_lead_to_sign_in(client: Any, put: Any) -> None:
    telegram = put("Telegram", us=100)["us"]

    page = client.get(site_page(telegram)).content.decode()

    assert "$1.25" in page
    assert f'href="/accounts/login/?next=/sms/{telegram.pk}/"' in page
    assert "<button" not in page[page.index('id="results"') : page.index("</section>")]


def test_buying_from_a_list_brings_the_row_back_as_it_was(shop: Any, put: Any, ann: Any) -> None:
    telegram = put("Telegram", us=100)["us"]
    page = shop.get(site_page(telegram))
    [address] = re.findall(r'hx-post="([^"]+)"', page.content.decode())

    form = {"quantity": "11", "request_id": hidden(page, "request_id"), "shown_price_micros": "1250000"}
    part = shop.post(address, form, headers=HTMX)

    assert "Up to 10 numbers at once." in page_words(part)
    assert page_words(part).startswith("🇺🇸 United States +1 $1.25 each")


@pytest.mark.parametrize(
    ("address", "expected"),
    [(HOME, 15), ("/sms/?by=country", 14), ("/sms/?q=t", 13), ("/sms/sites/{}/", 9), ("/sms/countries/us/", 9)],
)
@pytest.mark.parametrize("more", [0, 4])
def test_pages_need_the_same_queries_for_any_number_of_rows(
    shop: Any, put: Any, ann: Any, address: str, expected: int, more: int, django_assert_num_queries: Any
) -> None:
    for number in range(1 + more):
        for project in put(f"Telegram {number}", us=100, gb=50).values():
            succeed(project, 30, 20)
            bought(ann, project)
    first = Site.objects.order_by("pk")[0]
    synonyms()  # read once until they change

    with django_assert_num_queries(expected):
        shop.get(address.format(first.pk))


def test_pages_are_turned(shop: Any, put: Any) -> None:
    for number in range(50):
        put(f"Site {number:02}", us=100)

    second = shop.get(HOME, {"page": "2"})
    rest = shop.get("/sms/countries/us/", {"page": "2", "sort": "price"})

    assert tiles(second, "all") == ["Site 48", "Site 49"]
    assert len(offers(rest)) == 20
    assert 'href="?page=1&amp;sort=price"' in rest.content.decode() or "sort=price" in rest.content.decode()


def test_recent_choices_are_forgotten_once_they_are_no_longer_sold(shop: Any, put: Any, ann: Any) -> None:
    telegram = put("Telegram", us=100)["us"]
    bought(ann, telegram)
    Project.objects.update(withdrawn_at=timezone.now() - timedelta(days=1))

    assert section(shop.get(HOME), "recent") == ""


@pytest.fixture
def several(put: Any) -> list[Project]:
    """Telegram in the United States at three prices, the middle one first; and once in Germany."""
    usual = put("Telegram", us=50, de=40)["us"]
    others = [
        Project.objects.create(
            upstream_id=uuid.uuid4().hex, country=usual.country, name="Telegram", price_upstream_micros=cents * 10_000
        )
        for cents in (90, 20)
    ]
    return [usual, *others]


@pytest.mark.parametrize("sort", ["popular", "price", "success"])
def test_site_listed_at_several_prices_in_a_country_is_one_line_with_the_others_behind_it(
    shop: Any, several: list[Project], sort: str
) -> None:
    answer = shop.get(f"/sms/sites/{several[0].site_id}/", {"sort": sort})

    by_country = {offer.project.country.code: offer for offer in answer.context["offers"]}
    assert len(answer.context["offers"]) == answer.context["page"].paginator.count == 2
    united_states = by_country["us"]
    usual, dear, cheap = several
    assert [united_states.project, *(offer.project for offer in united_states.others)] == [cheap, usual, dear]
    assert by_country["de"].others == ()
    words = page_words(answer)
    assert words.count("from $0.25") == 1
    assert "2 more offers" in words
    assert answer.content.decode().count(f"/sms/{dear.pk}/") > 0


def test_search_and_country_show_several_prices_of_one_site_as_one_line_too(shop: Any, several: list[Project]) -> None:
    found = shop.get(HOME, {"q": "telegram united"}).context["offers"]
    in_country = shop.get("/sms/countries/us/").context["offers"]

    for offers in (found, in_country):
        assert [(offer.price_micros, len(offer.others)) for offer in offers] == [(250_000, 2)]


def test_home_counts_countries_and_not_offers(shop: Any, several: list[Project]) -> None:
    assert "from $0.25, 2 countries" in page_words(shop.get(HOME))


def test_every_offer_of_one_site_is_bought_by_itself(shop: Any, several: list[Project]) -> None:
    dear = several[1]
    page = shop.get(f"/sms/{dear.pk}/")

    shop.post(
        f"/sms/{dear.pk}/",
        {
            "quantity": "1",
            "shown_price_micros": hidden(page, "shown_price_micros"),
            "request_id": hidden(page, "request_id"),
        },
    )

    assert Number.objects.get().project == dear
