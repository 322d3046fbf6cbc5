"""What is wrong with a form is seen, on every page that has one: in the title, in a summary, beside the field."""

import re
from typing import Any

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve, reverse

from accounts.models import User
from notifications.letters import send_letters
from orders.models import Status
from sms.models import Number, ReplacementRule
from support.models import Ticket
from tests.conftest import customer
from tests.pages import error_beside, summary
from tests.security.addresses import Addresses, is_of_the_admin, routes
from tests.storefront.admin_rows import make_rows
from tests.storefront.web.form_parser import FormParser, PageForm

pytestmark = pytest.mark.django_db
TOO_LONG = "x" * 9000
# The pages that ask for something; `page>where it is sent`, where that is another one.
FOR_VISITORS = {"account_login", "account_signup", "account_reset_password", "account_reset_password_from_key"}
FOR_CUSTOMERS = {
    "account_change_password", "account_email", "account_reauthenticate", "mfa_activate_totp", "mfa_reauthenticate",
    "orders:place", "orders:mass", "orders:goods_claim",
    "wallet:add", "wallet:payment>wallet:declare", "sms:buy", "sms:home>sms:buy",
    "sms:site>sms:buy", "sms:country>sms:buy", "sms:waiting>sms:replacement_rule",
    "api:keys", "api:key", "api:webhooks", "api:webhook", "privacy:delete",
    "support:new", "support:ticket", "support:ticket>support:rating",
}  # fmt: skip
# What is wrong there is said by the API, in its own words, in the place of its answer.
NOT_FORMS = {"api:console"}


def filled_wrongly(form: PageForm) -> dict[str, str]:
    """What nobody should type: nothing where something is asked for, else too much."""
    sent = {control.name: control.value for control in form.controls if control.kind == "hidden"}
    return sent | form.button | {control.name: "" if control.required else TOO_LONG for control in form.typed}


def faults_of(answer: HttpResponse) -> list[str]:
    """Return what a page with an error in a form does not say about it."""
    page = FormParser(answer.content.decode())
    entries = summary(answer)
    found = []
    if not page.title.startswith("Error: "):
        found.append(f"its title is {page.title!r}")
    if not entries:
        found.append("it has no summary")
    found += [f"{text!r} leads to #{mark}, which is not there" for text, mark in entries if page.ids.count(mark) != 1]
    opening = (re.findall(r'<div\s+class="error-summary"[^>]*>', answer.content.decode()) or [""])[0]
    wanted = ('role="alert"', 'tabindex="-1"', "autofocus")
    found += [f"its summary has no {want}" for want in wanted if want not in opening]
    found += [
        f"{field} does not say what is wrong" for field in wrong_fields(answer) if not error_beside(answer, field)
    ]
    return found


def wrong_fields(answer: HttpResponse) -> list[str]:
    tags = re.findall(r'<(?:input|textarea|select)[^>]*aria-invalid="true"[^>]*>', answer.content.decode())
    return [re.findall(r'\bid="([^"]*)"', tag)[0] for tag in tags]


def walked(client: Client, addresses: list[str]) -> tuple[set[str], list[str]]:
    """Send every form of these pages filled in wrongly; return which were refused, and what was not said about it."""
    asked, faults = set(), []
    for address in addresses:
        answer = client.get(address)
        if answer.status_code != 200 or "html" not in answer["Content-Type"]:
            continue
        for form in FormParser(answer.content.decode()).forms:
            name, to = resolve(address).view_name, form.action or address
            if form.method != "post" or not form.typed or name in NOT_FORMS:
                continue
            goal = resolve(to.partition("?")[0]).view_name
            refused = client.post(to, filled_wrongly(form))
            asked.add(name if goal == name else f"{name}>{goal}")
            # Else a browser would stop it with a bubble of its own, and nothing of this would be seen.
            faults += [] if form.novalidate else [f"{address} → {to}: the browser validates it"]
            if refused.status_code not in (200, 422):
                faults.append(f"{address} → {to}: {refused.status_code}")
                continue
            faults += [f"{address} → {to}: {fault}" for fault in faults_of(refused)]
    return asked, faults


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner(settings: Any) -> User:
    settings.MANUAL_TRANSFER_DETAILS = "Account 1234"
    for number in (1, 2):
        make_rows(number)
    owner = User.objects.get(email="customer2@example.com")
    owner.top_ups.update(gateway="manual", status="created")
    # A number that is waited for and is not replaced by itself yet, so that its card asks whether it shall be.
    Number.objects.filter(order__user=owner).update(state=Number.State.WAITING, cancel_requested_at=None)
    ReplacementRule.objects.all().delete()
    owner.orders.filter(number__isnull=False).update(status=Status.PENDING)
    # One that can be rated.
    owner.tickets.update(state=Ticket.State.ANSWERED, waiting_since=None)
    return owner


def test_customer_when_any_form_is_filled_in_wrongly_then_its_page_says_so(owner: User) -> None:
    addresses = Addresses(owner)
    pages = [addresses.of(route) for route in routes() if not is_of_the_admin(route) and route.name not in FOR_VISITORS]
    # Whoever has no second factor yet, and nothing that keeps the account from being deleted.
    bare = customer("bare@example.com", money="0")
    of_the_bare = [reverse(name) for name in ("account_reauthenticate", "mfa_activate_totp", "privacy:delete")]

    asked, faults = walked(signed_in(owner), pages)
    also_asked, also_faults = walked(signed_in(bare), of_the_bare)

    assert faults + also_faults == []
    assert asked | also_asked == FOR_CUSTOMERS


def test_visitor_when_any_form_is_filled_in_wrongly_then_its_page_says_so(client: Client, ann: User) -> None:
    client.post(reverse("account_reset_password"), {"email": ann.email})
    send_letters()
    link = re.search(r"/accounts/password/reset/key/\S+/", str(mail.outbox[-1].body))
    assert link is not None
    form = client.get(link[0], follow=False)["Location"]
    pages = [reverse(name) for name in sorted(FOR_VISITORS - {"account_reset_password_from_key"})]

    asked, faults = walked(client, [*pages, form])

    assert faults == []
    assert asked == FOR_VISITORS
