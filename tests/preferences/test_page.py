"""The admin's page of preferences: who may change what, what a mistake gets, the history and its way back."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import TrailEntry, User
from catalog.caching.versioned_cache import MAX_PROCESS_VALUES, _process_values
from catalog.preferences import USUAL_WARRANTY_DAYS
from orders.preferences import COMPLAINT_HOURS
from preferences.face import ACCENT, HEADLINE, LANGUAGES, LOGO, STORE_NAME, SUPPORT_EMAIL
from preferences.models import Picture, PreferenceChange
from preferences.stored import forget
from tests.pages import page_words as text
from tests.preferences.test_pictures import SVG, bomb, picture

pytestmark = pytest.mark.django_db
PAGE, PREVIEW = reverse("admin:preferences_preferencechange_changelist"), reverse("admin:preferences_preview")
USUAL = {
    "store_name": "Storefront",
    "accent": "#0b5f4a",
    "support_email": "support@example.com",
    "languages": ["en", "ru"],
    "numbers_on_sale": "on",
}


def seen() -> int:
    newest = PreferenceChange.objects.first()
    return newest.pk if newest else 0


def save(desk: Client, *, to: str = PAGE, follow: bool = True, **fields: Any) -> HttpResponse:
    return desk.post(to, {**USUAL, "seen": seen(), **fields}, follow=follow)


def file(data: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/png")


def told(answer: HttpResponse) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def undo(desk: Client, change: PreferenceChange) -> HttpResponse:
    return desk.post(reverse("admin:preferences_undo", args=[change.pk]), follow=True)


# --- Changing ---------------------------------------------------------------------------------------------------------
def test_what_is_saved_holds_and_is_remembered(desk: Client) -> None:
    answer = save(desk, store_name="Corner shop", headline_ru="Всё *сразу*")

    assert told(answer) == ["Saved. All pages show it within a few seconds."]
    assert STORE_NAME.value == "Corner shop"
    assert HEADLINE.value == {"ru": "Всё *сразу*"}
    owner = User.objects.get(email="owner@example.com")
    rows = PreferenceChange.objects.order_by("name").values("name", "before", "after", "actor_id", "actor")
    by = {"actor_id": owner.pk, "actor": owner.email, "before": None}
    assert list(rows) == [
        {"name": "headline", "after": {"ru": "Всё *сразу*"}, **by},
        {"name": "store_name", "after": "Corner shop", **by},
    ]


def test_a_whole_number_is_saved_and_holds(desk: Client) -> None:
    save(desk, usual_warranty_days=" 14 ", complaint_hours="0")

    assert (USUAL_WARRANTY_DAYS.value, COMPLAINT_HOURS.value) == (14, 0)
    assert desk.get(PAGE).context["form"]["usual_warranty_days"].value() == "14"


def test_what_is_as_usual_is_not_stored(desk: Client) -> None:
    assert told(save(desk)) == ["Nothing was different, so nothing has been saved."]
    assert PreferenceChange.objects.count() == 0


def test_emptied_fields_put_the_default_back(desk: Client) -> None:
    save(desk, store_name="Corner shop", headline_en="Hello")

    save(desk, store_name="", headline_en="")

    assert STORE_NAME.value == "Storefront"
    assert str(HEADLINE.value) == ""
    assert [row.after for row in PreferenceChange.objects.all()[:2]] == [None, None]


def test_a_change_is_on_the_trail_with_both_values(desk: Client) -> None:
    save(desk, store_name="Corner shop")

    entry = TrailEntry.objects.filter(target_type="preferences.PreferenceChange").get()
    assert (entry.action, entry.before, entry.after) == ("changed", {"store_name": None}, {"store_name": "Corner shop"})
    assert entry.actor == "owner@example.com"


@pytest.mark.parametrize(
    ("field", "typed", "why"),
    [
        ("store_name", "x" * 41, "Use at most 40 characters."),
        ("support_email", "nobody", "Enter a valid email address."),
        ("accent", "green", "Enter a color like #0b5f4a."),
        ("languages", ["ru"], "English can't be left out."),
        ("languages", ["en", "xx"], "Select a valid choice. xx is not one of the available choices."),
        ("headline_en", "x" * 91, "Use at most 90 characters."),
        ("usual_warranty_days", "three", "Enter a whole number from 0 to 365."),
        ("usual_warranty_days", "366", "Enter a whole number from 0 to 365."),
        ("complaint_hours", "-1", "Enter a whole number from 0 to 8,760."),
    ],
)
def test_a_mistake_is_said_where_it_is_and_nothing_is_saved(desk: Client, field: str, typed: Any, why: str) -> None:
    wrong = {"store_name": "Corner shop", field: typed}

    answer = save(desk, **wrong)

    name = next(name for name in answer.context["form"].errors)
    assert (name.partition("_en")[0], answer.context["form"].errors[name]) == (field.partition("_en")[0], [why])
    assert PreferenceChange.objects.count() == 0
    assert answer.context["form"]["store_name"].value() == wrong["store_name"]
    assert f'href="#{answer.context["form"][name].id_for_label}"' in answer.content.decode()


def test_a_color_that_cannot_be_read_is_adjusted_and_that_is_said(desk: Client) -> None:
    answer = save(desk, accent="#ffee00")

    assert ACCENT.value == "#ffee00"
    assert any("#ffee00 is too light to be read" in said for said in told(answer))


def test_a_form_that_comes_without_its_fields_changes_nothing(desk: Client) -> None:
    save(desk, store_name="Corner shop")

    desk.post(PAGE, {})

    assert STORE_NAME.value == "Corner shop"


def test_whoever_was_slower_changes_nothing(desk: Client) -> None:
    opened = seen()
    save(desk, store_name="Corner shop")

    answer = desk.post(PAGE, {**USUAL, "seen": opened, "store_name": "Other", "headline_en": "Mine"})

    assert "Somebody else has changed this" in text(answer)
    assert STORE_NAME.value == "Corner shop"
    assert not HEADLINE.value
    again = desk.post(PAGE, {**USUAL, "seen": answer.context["form"]["seen"].value(), "store_name": "Other"})
    assert (again.status_code, STORE_NAME.value) == (302, "Other")


def test_what_the_environment_sets_is_shown_and_not_changed(desk: Client, settings: Any) -> None:
    save(desk, store_name="Corner shop")
    settings.STORE_NAME, settings.SET_IN_ENVIRONMENT = "From .env", {"STORE_NAME"}

    page = desk.get(PAGE)
    save(desk, store_name="Other")

    assert "Set as STORE_NAME in the environment (.env)" in text(page)
    assert STORE_NAME.value == "From .env"
    assert "From .env" in text(desk.get("/"))
    assert PreferenceChange.objects.count() == 1


def test_hostile_texts_are_shown_as_texts(desk: Client) -> None:
    hostile = "</title><script>alert(1)</script>"[:40]
    save(desk, store_name=hostile, headline_en="*<img src=x>* {{ 7|add:7 }}", other_contact_en="<b>x</b>")

    page = Client().get("/").content.decode()

    assert "<script>alert" not in page
    assert "<em>&lt;img src=x&gt;</em> {{ 7|add:7 }}" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


# --- Pictures ---------------------------------------------------------------------------------------------------------
def test_a_logo_is_served_under_its_digest_for_good(desk: Client) -> None:
    save(desk, logo=file(picture(size=(640, 160)), "../../evil.php"))

    [address] = re.findall(
        r'class="brand-logo" src="([^"]+)" width="128" height="32"', Client().get("/").content.decode()
    )
    served = Client().get(address)
    assert address == f"/face/{LOGO.value['wide'].digest}.png"
    assert served["Content-Type"] == "image/png"
    assert "immutable" in served["Cache-Control"]
    assert served.content.startswith(b"\x89PNG")
    assert Picture.objects.count() == 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (SVG, "This is no PNG, JPEG or WebP picture."),
        (bomb(9000, 9000), "The picture has more than 16 million pixels."),
    ],
)
def test_what_is_no_logo_is_refused(desk: Client, data: bytes, why: str) -> None:
    answer = save(desk, logo=file(data))

    assert answer.context["form"].errors["logo"] == [why]
    assert (PreferenceChange.objects.count(), Picture.objects.count()) == (0, 0)


def test_a_file_beyond_all_limits_is_refused_unread(desk: Client) -> None:
    assert save(desk, logo=file(b"x" * 3_200_000)).status_code == 413


def test_a_logo_stays_until_it_is_removed(desk: Client) -> None:
    save(desk, logo=file(picture()))
    save(desk, store_name="Corner shop")
    assert LOGO.value

    save(desk, logo_remove="on")

    assert not LOGO.value
    undo(desk, PreferenceChange.objects.filter(name="logo").first())
    assert LOGO.value


def test_other_pages_of_the_admin_still_take_no_files(desk: Client, ann: User) -> None:
    change = reverse("admin:accounts_user_change", args=[ann.pk])

    assert desk.post(change, {"logo": file(picture())}).status_code == 400


@pytest.mark.parametrize("digest", ["0" * 64, "..%2f..%2fetc", "x", "%00", "a%00b", "x" * 3000, "%ED%A0%80"])
def test_pictures_that_are_not_there_are_not_found(client: Client, digest: str) -> None:
    assert client.get(f"/face/{digest}.png").status_code == 404


# --- Preview ----------------------------------------------------------------------------------------------------------
def test_a_preview_shows_what_is_typed_and_saves_nothing(desk: Client) -> None:
    fields = {"store_name": "Tried shop", "accent": "#7a1fa2", "headline_ru": "Пробный", "logo": file(picture())}

    page = save(desk, to=f"{PREVIEW}?language=ru", **fields)

    assert "no-store" in page["Cache-Control"]
    assert "Tried shop" in text(page)
    assert "Пробный" in text(page)
    assert "/face/accent-7a1fa2.css" in page.content.decode()
    assert "Войти" in text(page)  # as visitors see it
    [logo] = re.findall(r'class="brand-logo" src="([^"]+)"', page.content.decode())
    assert desk.get(logo).status_code == 200
    assert (PreferenceChange.objects.count(), Picture.objects.count()) == (0, 0)
    for address in ("/", "/catalog/"):
        for browser in (Client(), desk):
            assert "Tried shop" not in text(browser.get(address))


def test_previews_do_not_fill_the_memory_of_the_process(desk: Client) -> None:
    for number in range(MAX_PROCESS_VALUES):
        save(desk, to=PREVIEW, store_name=f"Tried {number}")

    assert len(_process_values) <= MAX_PROCESS_VALUES


def test_a_preview_with_a_mistake_shows_the_form(desk: Client) -> None:
    assert save(desk, to=PREVIEW, accent="green").context["form"].errors["accent"]


# --- History ----------------------------------------------------------------------------------------------------------
def test_a_former_value_is_put_back(desk: Client) -> None:
    save(desk, store_name="First")
    save(desk, store_name="Second")
    first, second = PreferenceChange.objects.order_by("pk")

    undo(desk, second)
    assert STORE_NAME.value == "First"
    undo(desk, first)
    assert STORE_NAME.value == "Storefront"
    assert told(undo(desk, first)) == ["The former value holds already."]
    assert list(PreferenceChange.objects.order_by("pk").values_list("before", "after")) == [
        (None, "First"),
        ("First", "Second"),
        ("Second", "First"),
        ("First", None),
    ]
    assert text(desk.get(PAGE)).count("Put back") == 4


def test_a_former_value_that_is_none_any_more_is_not_put_back(desk: Client) -> None:
    change = PreferenceChange.objects.create(name="accent", before="green", after="#7a1fa2")
    gone = PreferenceChange.objects.create(name="gone", before=1, after=2)

    assert told(undo(desk, change)) == ["The former value can't be put back. Enter a color like #0b5f4a."]
    assert undo(desk, gone).status_code == 404
    assert PreferenceChange.objects.count() == 2


def test_history_is_neither_edited_nor_deleted(desk: Client) -> None:
    save(desk, store_name="Corner shop")
    row = PreferenceChange.objects.get()

    for act in (lambda: PreferenceChange.objects.update(after="x"), PreferenceChange.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    delete = reverse("admin:preferences_preferencechange_delete", args=[row.pk])
    assert desk.post(delete, {"post": "yes"}).status_code == 403


# --- Broken ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "stored", "preference"),
    [
        ("store_name", {"a": 1}, STORE_NAME),
        ("accent", "url(x)", ACCENT),
        ("languages", ["tlh"], LANGUAGES),
        ("logo", {"wide": "x"}, LOGO),
        ("support_email", "x", SUPPORT_EMAIL),
    ],
)
def test_broken_values_count_as_not_stored_and_doctor_says_so(
    desk: Client, name: str, stored: Any, preference: Any
) -> None:
    from preferences.change import broken

    usual = preference.value
    PreferenceChange.objects.create(name=name, after=stored, changed_at=timezone.now())
    cache.clear()
    forget()

    assert preference.value == usual
    assert Client().get("/").status_code == 200
    assert desk.get(PAGE).status_code == 200
    assert list(broken()) == [name]


def test_the_defaults_hold_while_the_table_is_not_there(db: None) -> None:
    cache.clear()
    forget()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE preferences_preferencechange RENAME TO gone")

    assert STORE_NAME.value == "Storefront"
    transaction.set_rollback(True)  # PostgreSQL answers nothing more in this transaction
