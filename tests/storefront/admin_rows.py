"""One row, or several, of every model the admin knows; used by the tests that walk its pages."""

import uuid
from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.deny_list.checks import Denied, record_hit
from accounts.keys.api_keys import create_api_key
from accounts.keys.spending import spend_with_key
from accounts.models import CustomerGroup, DenyRule, User
from accounts.trail import record
from api.models import SimulatedOrder, SimulatedWallet, Webhook, WebhookDelivery
from catalog.models import (
    Category,
    ExchangeRate,
    Favorite,
    ImportRule,
    MappedType,
    MarkupRule,
    PriceList,
    QuarantinedAnswer,
    Service,
    ServiceChange,
    ServiceQuality,
    StockAlert,
    Subcategory,
    SyncRun,
    TitleRule,
)
from catalog.models.services import NEVER_MEASURED
from jobs.models import StaffJob
from notifications.models import Notice
from orders.accounting.service_margin import measure_margins
from orders.models import (
    CashbackEarning,
    Checkout,
    ContractDrift,
    Coupon,
    CouponUse,
    DeliveredGoods,
    ForwardingPause,
    FoundOrder,
    GoodsClaim,
    GoodsFormat,
    GoodsReveal,
    Kind,
    KnownRefusal,
    Order,
    OrderEvent,
    PendingCheckout,
    ReferralEarning,
    RestoreGap,
    ServicePace,
    ServiceRequest,
    Status,
    StatusWord,
    UpstreamAssumption,
    UpstreamBalance,
    UpstreamEntry,
    WatchedPrice,
)
from preferences.models import PreferenceChange
from sms.models import (
    Country,
    ForbiddenWord,
    Number,
    NumberLimit,
    NumberMarkupRule,
    Project,
    ReplacementRule,
    SuccessRate,
)
from support.models import (
    Announcement,
    Attachment,
    AttachmentContent,
    CannedAnswer,
    Document,
    DocumentVersion,
    Incident,
    IncidentUpdate,
    Message,
    SupplierMessage,
    TermsAcceptance,
    Ticket,
)
from tests.orders.attention import make_lost
from wallet.models import GatewayEvent, LedgerEntry, MoneyRequest, Receipt, Receivable, TopUp
from wallet.operations import credit
from wallet.operations.manual_moves import move_by_hand


def make_service(number: int) -> Service:
    category = Category.objects.create(name=f"Category {number}", rate_confirmed_at=timezone.now())
    return Service.objects.create(
        upstream_id=number,
        category=category,
        subcategory=Subcategory.objects.create(category=category, name="Followers"),
        name=f"Service {number}",
        type="Default",
        rate_upstream_micros=1_500_000,
        min_quantity=10,
        max_quantity=1000,
        search_text=f"service {number}",
    )


def make_quality(service: Service, **fields) -> ServiceQuality:
    """Two hundred measured orders of a service; lists know of them."""
    figures = {"orders": 200, "completed": 188, "partial": 8, "refunded": 4}
    times = {"start_seconds": 720, "start_seconds_most": 1800, "done_seconds": 7200, "done_seconds_most": 10_800}
    values = {**figures, **times, "by_day": [None, *[3600, 7200, 10_800] * 9, None, 7200], **fields}
    quality = ServiceQuality.objects.create(service=service, **values)
    done_seconds = NEVER_MEASURED if quality.done_seconds is None else quality.done_seconds
    Service.objects.filter(pk=service.pk).update(done_seconds=done_seconds, completed_percent=quality.shares[0])
    return quality


def make_order(user: User, *, service: Service | None = None, **fields) -> Order:
    """An order as it stands in the database; a number when no service is named."""
    values = {
        "checkout": Checkout.objects.create(user=user, request_id=uuid.uuid4().hex, fingerprint="f"),
        "kind": Kind.SERVICE if service else Kind.NUMBER,
        "title": "Followers" if service else "Telegram",
        "service": service,
        "quantity": 100 if service else 1,
        "link": "https://example.com/me",
        "price_micros": 187_500,
        "rate_micros": 1_875_000,
        "rate_upstream_micros": 1_500_000,
        "rate_per": 1000,
        "cost_upstream_micros": 150_000,
    }
    order = Order.objects.create(user=user, **{**values, **fields})
    OrderEvent.objects.create(order=order, code=OrderEvent.Code.PLACED, status=order.status, data={"quantity": 100})
    return order


def ask(user: User, number: int, **about) -> Ticket:
    """A ticket that waits, with an answer, a note and a message to the supplier."""
    now = timezone.now()
    values = {"reason": Ticket.Reason.SLOW, "subject": f"Question {number}", "waiting_since": now, **about}
    ticket = Ticket.objects.create(user=user, **values)
    for kind in (Message.Kind.CUSTOMER, Message.Kind.STAFF, Message.Kind.NOTE):
        Message.objects.create(ticket=ticket, kind=kind, author=user, text="<b>Where</b> is it?")
    file = Attachment.objects.create(message=ticket.messages.first(), name="screen.png", kind="png", size=3)
    AttachmentContent.objects.create(attachment=file, data=b"png")
    SupplierMessage.objects.create(ticket=ticket, text="Order 77: please start it.")
    return ticket


def make_rows(number: int) -> None:
    """One more row of every model; `number` keeps them apart."""
    group = CustomerGroup.objects.create(name=f"Group {number}", discount_percent=5)
    # First: pages about the newest account are about a customer's.
    clerk, _is_new = User.objects.get_or_create(email="till@example.com", defaults={"is_staff": True})
    user = User.objects.create_user(f"customer{number}@example.com", "x", group=group)
    EmailAddress.objects.create(user=user, email=user.email, primary=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "hidden-secret"})
    Group.objects.create(name=f"Role {number}")
    StaffJob.objects.create(kind="list_file", title=f"Orders as CSV {number}", asked_by=user, language="en")
    denied = DenyRule.objects.create(kind="domain", value=f"bad{number}.example", note="n", created_by=clerk)
    record_hit(Denied(denied.pk, f"eve@bad{number}.example"), place="sign_up", user=user, address="203.0.113.9")
    record("changed", actor=user, target=group, before={"name": "Old"}, after={"name": group.name})
    api_key, _text = create_api_key(
        user=user, name="robot", daily_limit_micros=5_000_000, allowed_addresses="203.0.113.9"
    )
    spend_with_key(api_key, 1_000_000)
    kind = LedgerEntry.Kind.TOP_UP
    credit(user=user, amount_micros=12_340_000, kind=kind, reference="r", note="n", actor=user)
    for amount_micros in (1_000_000, 900_000_000):  # done at once, and one that waits
        kind, request_id = MoneyRequest.Kind.ADJUSTMENT, uuid.uuid4().hex
        move_by_hand(user=user, kind=kind, amount_micros=amount_micros, note="n", actor=clerk, request_id=request_id)
    top_up = TopUp.objects.create(
        user=user,
        gateway="manual",
        currency="USD",
        amount_micros=5_000_000,
        pay_micros=5_000_000,
        attention="look",
        confirmed_by=user,
    )
    GatewayEvent.objects.create(gateway="manual", outcome="ignored", top_up=top_up, headers={"User-Agent": "<b>x"})
    Receipt.objects.create(number=number, user=user, top_up=top_up, currency="USD", total_micros=5_000_000)
    Receivable.objects.create(user=user, top_up=top_up, amount_micros=1_000_000)
    service = make_service(number)
    MarkupRule.objects.create(scope="service", service=service, percent=30)
    MarkupRule.objects.create(scope="subcategory", subcategory=service.subcategory, percent=30)
    SimulatedWallet.objects.create(user=user, balance_micros=number)
    SimulatedOrder.objects.create(
        user=user, kind="service", service=service, quantity=10, price_micros=1, link="https://x.y"
    )
    PriceList.objects.get_or_create(pk=1)
    ExchangeRate.objects.create(rate_micros=1_080_000 + number, set_by=user)
    run = SyncRun.objects.create(
        kind="catalog",
        status="applied",
        finished_at=timezone.now() + timedelta(seconds=2),
        error="late",
        set_aside=[{"service": number, "field": "rate", "problem": "<b>not a number</b>"}],
    )
    fields = {"name": ["<i>Old</i>", "New"], "refill": [False, True]}
    ServiceChange.objects.create(run=run, service=service, kind="fields", fields=fields)
    ServiceChange.objects.create(
        run=run, service=service, kind="rate", rate_before_micros=500_000, rate_after_micros=750_000
    )
    QuarantinedAnswer.objects.create(run=run, packed=b"packed")
    Favorite.objects.create(user=user, service=service)
    StockAlert.objects.create(user=user, service=service)
    WatchedPrice.objects.create(user=user, service=service, rate_per_thousand_micros=1_875_000)
    order = make_order(user, service=service)
    make_lost(order, "no answer")
    make_order(user, service=service, status=Status.COMPLETED, upstream_id=f"u{number}", charge_upstream_micros=165_000)
    measure_margins(now=timezone.now())
    OrderEvent.objects.create(order=order, code=OrderEvent.Code.UNKNOWN, status=order.status, actor=user)
    ServiceRequest.objects.create(order=order, kind=ServiceRequest.Kind.CANCEL)
    coupon = Coupon.objects.create(code=f"SPRING{number}", percent=10)
    CouponUse.objects.create(coupon=coupon, user=user, order=order, discount_micros=18_700)
    ReferralEarning.objects.create(order=order, referrer=user, percent=10, due_at=timezone.now())
    CashbackEarning.objects.create(order=order, user=user, percent=5, due_at=timezone.now())
    PendingCheckout.objects.create(
        user=user, top_up=top_up, request_id="r", service=service, quantity=100, quote="hidden-quote", price_micros=1
    )
    country = Country.objects.create(code=f"c{number}", name=f"Country {number}")
    project = Project.objects.create(
        upstream_id=f"p{number}", country=country, name="Telegram", price_upstream_micros=500_000
    )
    waiting = Number.objects.create(order=make_order(user), project=project, phone=f"+1555{number}")
    ReplacementRule.objects.create(number=waiting, after_seconds=120, cap_micros=900_000, left=2)
    NumberLimit.objects.create(user=user, max_open=50)
    SuccessRate.objects.create(project=project, observed=30, received=20, median_seconds=14, counted_at=timezone.now())
    NumberMarkupRule.objects.create(scope="country", country=country, percent=30)
    NumberMarkupRule.objects.create(scope="project", project=project, percent=30)
    ForbiddenWord.objects.create(word=f"casino{number}")
    KnownRefusal.objects.create(text=f"Closed today {number}")
    StatusWord.objects.create(word=f"on hold {number}", status=Status.PENDING)
    ImportRule.objects.create(category=f"Nothing {number}*", outcome=ImportRule.Outcome.LEAVE)
    TitleRule.objects.create(pattern=f"promo {number}", kind=TitleRule.Kind.REMOVE)
    MappedType.objects.create(type=f"poll {number}", order_form="quantity")
    ContractDrift.objects.create(subject="status_word", text=f"Sleeping {number}", sample={"kind": "service"})
    name, drifting = UpstreamAssumption.Name.values[number % 2], Kind.values[number // 2 % 2]
    UpstreamAssumption.objects.create(name=name, kind=drifting, broken_at=timezone.now(), evidence={"order": 1})
    gap = RestoreGap.objects.create(kind="service", restored_at=timezone.now(), first_id=number)
    FoundOrder.objects.create(gap=gap, kind="service", upstream_id=f"9{number}", charge_upstream_micros=500_000)
    make_quality(service)
    ServicePace.objects.create(service=service, finished=5, usual_seconds=60)
    Notice.objects.create(key=f"order:{number}", user=user if number % 2 else None, subject="News", body="Good news")
    goods = DeliveredGoods.objects.create(order=order, encrypted="hidden-goods", pieces=2)
    GoodsReveal.objects.create(goods=goods, user=user, address="203.0.113.9")
    moments = {"delivered_at": timezone.now(), "first_opened_at": timezone.now()}
    GoodsClaim.objects.create(order=order, line=1, reason=GoodsClaim.Reason.LOCKED, **moments)
    GoodsFormat.objects.create(service=service, columns="login:password")
    ForwardingPause.objects.create(reason="admin", ended_at=timezone.now())
    UpstreamBalance.objects.create(amount_upstream_micros=900_000_000 + number)
    UpstreamEntry.objects.create(amount_upstream_micros=5_000_000, note="paid in", created_by=user)
    webhook = Webhook.objects.create(user=user, url=f"https://example.com/{number}", secret_encrypted="hidden-secret")
    WebhookDelivery.objects.create(webhook=webhook, event="order.completed", order=order, body_encrypted="hidden-body")
    Announcement.objects.create(titles={"en": f"News {number}"}, audience="group", group=group)
    incident = Incident.objects.create(titles={"en": f"Slow {number}"}, parts=["orders"])
    IncidentUpdate.objects.create(incident=incident, texts={"en": "We look into it"})
    document = Document.objects.create(slug=f"page-{number}", position=1)
    version = DocumentVersion.objects.create(document=document, number=1, titles={"en": "Page"}, texts={"en": "Text"})
    TermsAcceptance.objects.create(user=user, version=version, door="sign_up", address="203.0.113.9")
    PreferenceChange.objects.create(name="store_name", after=f"Shop {number}", actor="owner@example.com")
    ask(user, number, order=order)
    CannedAnswer.objects.create(name=f"Thanks {number}", texts={"en": "Thank you, {name}."}, reasons=["slow"])
