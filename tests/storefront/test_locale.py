"""The shop in Russian: the catalog is whole, the pages follow it, and money and dates look as they do in Russian."""

import re
import uuid
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise

from accounts.models import User
from accounts.operations import remember_language
from notifications.letters import send_letters
from notifications.outbox import send_notices
from orders.models import Order, OrderEvent, Status
from orders.notices.customer_notices import announce
from orders.placing.place import place_order
from sms.models import Country, Number, Project
from sms.operations import buy_numbers
from tests.catalog.listing_rows import put_on_sale
from tests.conftest import PASSWORD
from tests.emptying import tampering
from tests.pages import alerts, error_beside, hidden, page_words
from tests.support.documents.terms import ticked
from wallet.operations import adjust

ROOT = settings.BASE_DIR
RUSSIAN = {"accept-language": "ru"}
LATIN_WORDS = {"API", "SMS", "CSV", "UTC", "English", "Telegram", settings.STORE_NAME, settings.STORE_CURRENCY}


# --- Models -----------------------------------------------------------------------------------------------------------
def test_models_name_themselves_and_their_relations_in_translatable_words() -> None:
    ours = [
        model for model in apps.get_models() if Path(apps.get_app_config(model._meta.app_label).path).parent == ROOT
    ]
    relations = [field for model in ours for field in model._meta.fields if field.is_relation]

    assert [model for model in ours if not isinstance(model._meta.verbose_name, Promise)] == []
    assert [field for field in relations if not isinstance(field.verbose_name, Promise)] == []


# --- The pages --------------------------------------------------------------------------------------------------------
@pytest.fixture
def shown_rows(ann: User) -> dict[str, Any]:
    """A shop whose goods have Russian names, so that every Latin word on a page is the shop's own."""
    put_on_sale("Подписчики", category="Соцсети", subcategory="Живые", refill=True, cancel=True, stock=5_000)
    comments = put_on_sale("Отзывы", category="Соцсети", subcategory="Живые", type="Custom Comments")
    goods = put_on_sale(
        "Аккаунты",
        category="Товары",
        subcategory="Старые",
        delivery_override="email",
        rate_per_override=1,
        min_quantity=1,
    )
    put_on_sale("Распродано", category="Соцсети", subcategory="Живые", stock=0)
    put_on_sale("Странное", category="Соцсети", subcategory="Живые", type="Неведомое")
    country = Country.objects.create(code="ru", name="Россия")
    project = Project.objects.create(
        upstream_id="1", country=country, name="Почта", search_text="почта россия", price_upstream_micros=500_000
    )
    adjust(user=ann, amount_micros=1_000_000, note="Подарок", actor=None, reference="gift")
    order = place(ann, goods, link="ann@example.com", quantity=3)
    number = buy_numbers(user=ann, project=project, request_id="numbers")[0]
    Order.objects.filter(pk=number.pk).update(status=Status.PENDING)
    Number.objects.filter(order=number).update(phone="+79000000000", state=Number.State.WAITING)
    return {"order": order, "number": number, "comments": comments, "goods": goods, "project": project}


def place(user: User, service: Any, **asked: Any) -> Order:
    return place_order(user=user, service=service, request_id=str(uuid.uuid4()), now=timezone.now(), **asked)


def every_status_and_event(order: Order) -> None:
    """Give the customer an order in each status, and this order one event of each kind the customer sees."""
    for status in Status:
        claim = {"claim_token": uuid.uuid4(), "claim_deadline": order.created_at}
        copy = place(order.user, order.service, link="ann@example.com", quantity=1)
        Order.objects.filter(pk=copy.pk).update(status=status, remains=0, **claim)
    sums = {"price_micros": 9_000_000, "quantity": 9, "start_count": 5}
    for code in OrderEvent.Code:
        for why in ("partial", "failed", "canceled", "expired", "staff") if code == "refunded" else ("",):
            data = {**sums, "why": why, "remains": 3, "refund_micros": 1_000_000}
            OrderEvent.objects.create(order=order, code=code, status=order.status, data=data)


def latin_words(page: Any) -> list[str]:
    """The words in Latin letters that a reader of the page sees or hears; addresses are nobody's language."""
    markup = page.content.decode().partition("<title>")[2]
    spoken = re.findall(r'\b(?:placeholder|aria-label|title|alt|data-other)="([^"]*)"', markup)
    text = unescape(" ".join([re.sub(r"<script.*?</script>|<[^>]+>", " ", markup, flags=re.DOTALL), *spoken]))
    text = re.sub(r"https?:\S*|\S+@\S+", " ", text)
    return [word for word in re.findall(r"[A-Za-z]{2,}", text) if word not in LATIN_WORDS]


PAGES = [
    ("home", {}, "Ваша главная страница"),
    ("catalog:index", {}, "Все услуги"),
    ("catalog:category", {"category": "goods"}, "Товары"),
    ("catalog:search", {"query": "q=отзывы"}, "Поиск"),
    ("catalog:search", {"query": "q=нетникого"}, "Ничего не найдено"),
    ("orders:place", {"service": "comments"}, "Комментарии, по одному в строке"),
    ("orders:place", {"service": "goods"}, "Эл. почта для доставки"),
    ("orders:list", {}, "Мои заказы"),
    ("orders:list", {"query": "q=нетникого"}, "Таких заказов нет"),
    ("orders:mass", {}, "Ваши заказы, по одному в строке"),
    ("orders:detail", {"order": "order"}, "Ход заказа"),
    ("orders:detail", {"order": "number"}, "Ждём код."),
    ("wallet:home", {}, "Пополнить баланс"),
    ("sms:home", {}, "Номер телефона для одного кода подтверждения."),
    ("sms:buy", {"project": "project"}, "Номер для Почта, Россия"),
    ("sms:waiting", {}, "Мои номера"),
    ("account", {}, "Ваш аккаунт"),
    ("account_email", {}, "Добавить адрес электронной почты"),
    ("account_change_password", {}, "Изменить пароль"),
    ("mfa_index", {}, "Двухфакторный вход"),
]


def address(name: str, about: dict[str, str], shown_rows: dict[str, Any]) -> str:
    if "category" in about:
        return reverse(name, args=[shown_rows[about["category"]].category_id])
    rows = [shown_rows[value].pk for key, value in about.items() if key != "query"]
    return f"{reverse(name, args=rows)}?{about.get('query', '')}"


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "about", "heading"), PAGES, ids=[f"{name} {about}" for name, about, _h in PAGES])
def test_page_in_russian_has_no_english_left_over(
    client: Client, ann: User, shown_rows: dict[str, Any], name: str, about: dict[str, str], heading: str
) -> None:
    every_status_and_event(shown_rows["order"])
    client.force_login(ann)

    page = client.get(address(name, about, shown_rows), headers=RUSSIAN)

    assert '<html lang="ru">' in page.content.decode()
    assert heading in page_words(page)
    assert latin_words(page) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/", "Войти"),
        ("/no/such/page/", "Страница не найдена"),
        ("/accounts/login/", "Забыли пароль?"),
        ("/accounts/signup/", "Зарегистрироваться"),
        ("/accounts/password/reset/", "Сбросить пароль"),
    ],
)
def test_visitors_page_in_russian_has_no_english_left_over(client: Client, path: str, heading: str) -> None:
    page = client.get(path, headers=RUSSIAN)

    assert heading in page_words(page)
    assert latin_words(page) == []


def test_latin_words_finds_what_stays_english() -> None:
    class Page:
        content = '<title>Да</title><b title="Wallet">Кошелёк</b> Pay <a href="/en/">ann@example.com</a> SMS'.encode()

    assert latin_words(Page) == ["Pay", "Wallet"]


def test_language_chosen_in_the_footer_wins_over_the_browsers(client: Client, db: None) -> None:
    client.post(reverse("set_language"), {"language": "en"}, headers=RUSSIAN)

    assert '<html lang="en">' in client.get("/", headers=RUSSIAN).content.decode()


# --- What the shop answers --------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_refusals_of_an_order_are_said_in_russian(client: Client, ann: User, shown_rows: dict[str, Any]) -> None:
    client.force_login(ann)
    form = reverse("orders:place", args=[shown_rows["comments"].pk])
    kept = {"request_id": hidden(client.get(form, headers=RUSSIAN), "request_id")}

    page = client.post(form, {**kept, "comments": "раз\nдва", "link": "нет"}, headers=RUSSIAN)

    wrote = "Вы ввели 2 комментария, а нужно от 10 до 10 000, по одному в строке."
    assert error_beside(page, "id_comments") == wrote
    assert error_beside(page, "id_link") == "Введите ссылку целиком, начиная с https://."


@pytest.mark.django_db
def test_missing_money_is_said_in_russian(client: Client, ann: User, shown_rows: dict[str, Any]) -> None:
    client.force_login(ann)
    form = reverse("orders:place", args=[shown_rows["goods"].pk])
    opened = client.get(form, {"quantity": 10_000}, headers=RUSSIAN)
    kept = {name: hidden(opened, name) for name in ("quote", "request_id")}

    page = client.post(form, {**kept, "quantity": 10_000, "link": "ann@example.com"}, headers=RUSSIAN)

    assert re.fullmatch(r"Не хватает 18\s655,25\s\$\. Ничего не списано\.", alerts(page))


# --- Mails ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_sign_up_in_russian_sends_its_letter_in_russian(client: Client) -> None:
    typed = {
        "email": "new@example.com",
        "password1": "верный конь скрепка",
        "password2": "верный конь скрепка",
    } | ticked()

    client.post("/accounts/signup/", typed, headers=RUSSIAN)
    send_letters()

    assert mail.outbox[0].subject == f"{settings.STORE_NAME}: Подтвердите адрес электронной почты"
    assert "Чтобы подтвердить адрес, перейдите по ссылке http://testserver/" in mail.outbox[0].body
    assert "Есть вопросы? Пишите на" in mail.outbox[0].body


def test_sign_in_remembers_the_language_for_mails(client: Client, ann: User) -> None:
    client.post("/accounts/login/", {"login": ann.email, "password": PASSWORD}, headers=RUSSIAN)

    ann.refresh_from_db()
    assert (ann.language, ann.mail_language) == ("ru", "ru")


@pytest.mark.parametrize(("chosen", "kept"), [("ru", "ru"), ("xx", "")])
def test_footer_remembers_the_language_for_mails(client: Client, ann: User, chosen: str, kept: str) -> None:
    client.force_login(ann)

    client.post(reverse("set_language"), {"language": chosen})

    ann.refresh_from_db()
    assert ann.language == kept


def test_mail_language_when_the_shop_no_longer_speaks_it_is_the_shops_own() -> None:
    assert User(language="tlh").mail_language == settings.LANGUAGE_CODE


def test_news_of_orders_are_written_to_each_customer_in_their_language(ann: User, ben: User) -> None:
    remember_language(ann, "ru")
    service = put_on_sale("A")
    orders = [place(user, service, link="https://example.com", quantity=10) for user in (ann, ben)]
    Order.objects.update(status=Status.COMPLETED)

    announce(Order.objects.select_related("user"), now=orders[0].created_at)
    send_notices()

    subjects = {letter.to[0]: letter.subject for letter in mail.outbox}
    assert subjects[ann.email] == f"{settings.STORE_NAME}: Заказ № {orders[0].pk} выполнен"
    assert subjects[ben.email] == f"{settings.STORE_NAME}: Order #{orders[1].pk} is complete"
    assert "Ваш заказ выполнен, количество: 10." in next(m.body for m in mail.outbox if m.to == [ann.email])


# --- Figures and dates ------------------------------------------------------------------------------------------------
@pytest.fixture
def bought(client: Client, ann: User, shown_rows: dict[str, Any]) -> str:
    """The page of an order of 3 pieces at 1.875, placed on the fifth of March."""
    at = datetime(2026, 3, 5, 14, 30, tzinfo=UTC)
    Order.objects.filter(pk=shown_rows["order"].pk).update(created_at=at)
    with tampering():
        OrderEvent.objects.filter(order=shown_rows["order"]).update(created_at=at)
    client.force_login(ann)
    return page_words(client.get(reverse("orders:detail", args=[shown_rows["order"].pk]), headers=RUSSIAN))


def test_money_is_written_the_russian_way(bought: str) -> None:
    assert "Оплачено с баланса: 5,625 $." in bought
    assert "Тариф 1,875 $ за шт." in bought


def test_dates_are_written_the_russian_way(bought: str) -> None:
    assert "5 мар. 2026 г., 14:30 UTC" in bought


def test_counts_are_written_and_declined_the_russian_way(client: Client, shown_rows: dict[str, Any]) -> None:
    home = page_words(client.get("/", headers=RUSSIAN))
    row = page_words(client.get("/catalog/search/?q=подписчики", headers=RUSSIAN))

    assert "Соцсети 4 услуги" in home
    assert "Товары 1 услуга" in home
    assert "10–10 000" in row
    assert "в наличии 5 000" in row
