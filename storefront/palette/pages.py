"""The pages that the palette leads to, and the keys that lead there without it."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.preferences import REFERRAL_SHARE
from sms.preferences import NUMBERS_ON_SALE
from storefront.templatetags.components import admin_address
from support.documents.known import KNOWN
from support.documents.words import filled_plain
from upstream.reading.text import comparable


@dataclass(frozen=True)
class Page:
    """A page as the palette names it; `keys` are typed one after the other, "" where there are none.

    `also` are further words that it is found by, in any language, with spaces between.
    """

    title: str | Promise
    address: str
    icon: str
    keys: str = ""
    also: str = ""

    @property
    def each_key(self) -> list[str]:
        return self.keys.split()

    def has(self, words: list[str]) -> bool:
        """Whether each of the words, as `comparable` has them, begins a word of its title or of what it is besides."""
        own = comparable(f"{self.title} {self.also}").split()
        return all(any(each.startswith(word) for each in own) for word in words)


def pages_for(user: User | None) -> list[Page]:
    """Return the pages this reader may open, in the order they are listed; no query."""
    return [*_everybodys(), *(_customers(user) if user else _visitors())]


def document_pages() -> list[Page]:
    """Return the owner's documents, which are found by words and not listed without; no query."""
    return [
        Page(filled_plain(link.title), reverse("documents:document", args=[link.slug]), "info", "", f"help {link.slug}")
        for link in KNOWN.value.footer
    ]


def _everybodys() -> list[Page]:
    found = [
        Page(_("Home"), reverse("home"), "shop", "g h", "start главная"),
        Page(_("Services"), reverse("catalog:index"), "box", "g s", "catalog categories каталог категории"),
        Page(_("Quick order"), reverse("orders:quick"), "bolt", "g q", "fast быстрый заказ"),
        Page(_("Help"), reverse("support:help"), "chat", "", "support tickets contact помощь поддержка вопросы"),
        Page(_("What changed"), reverse("changes"), "clock", "", "new prices news новое цены изменения"),
        Page(pgettext_lazy("page", "Status"), reverse("support:status"), "info", "", "incidents uptime статус сбои"),
        Page(_("Announcements"), reverse("support:announcements"), "info", "", "news новости объявления"),
    ]
    if NUMBERS_ON_SALE.value:
        title = pgettext_lazy("menu", "SMS numbers")
        found.append(Page(title, reverse("sms:home"), "phone", "g n", "codes phone смс коды номера"))
    return found


def _visitors() -> list[Page]:
    return [
        Page(_("Sign in"), reverse("account_login"), "user", "g i", "login log in войти вход"),
        Page(_("Sign up"), reverse("account_signup"), "plus", "", "register регистрация"),
        Page(_("API"), reverse("api:docs"), "globe", "g d", "docs documentation документация"),
    ]


def _customers(user: User) -> list[Page]:
    found = [
        Page(pgettext_lazy("menu", "My orders"), reverse("orders:list"), "receipt", "g o", "orders заказы"),
        Page(_("My numbers"), reverse("sms:waiting"), "message", "g m", "codes waiting коды ожидание"),
        Page(_("Mass order"), reverse("orders:mass"), "plus", "g b", "bulk many массовый"),
        Page(_("Favorites"), reverse("catalog:favorites"), "heart", "g f", "избранное"),
        Page(_("Wallet"), reverse("wallet:home"), "wallet", "g w", "balance money баланс деньги кошелек"),
        Page(_("Add money"), reverse("wallet:add"), "plus", "g t", "top up pay deposit пополнить оплата"),
        Page(_("Receipts"), reverse("wallet:receipts"), "receipt", "", "invoices чеки квитанции"),
        Page(_("Ask a question"), reverse("support:new"), "chat", "", "ticket support help вопрос поддержка помощь"),
        Page(_("Notices"), reverse("notices:list"), "bell", "", "bell news emails уведомления колокольчик письма"),
        Page(_("Your account"), reverse("account"), "user", "g a", "settings profile настройки профиль"),
        Page(_("Security"), reverse("account_security"), "shield", "", "password sessions пароль сеансы"),
        Page(_("API keys"), reverse("api:keys"), "lock", "g k", "ключи"),
        Page(_("API"), reverse("api:docs"), "globe", "g d", "docs documentation документация"),
    ]
    if REFERRAL_SHARE.value > 0:
        found.append(Page(_("Referrals"), reverse("orders:referrals"), "heart", "", "friends друзья"))
    if user.is_staff:
        found.append(Page(_("Admin"), admin_address(), "sliders", "g x", "staff администратор"))
    return found
