"""What the shop told its customers, and how its parts did: 90 days, a past incident, an announcement."""

import random
from datetime import UTC, datetime, time, timedelta

from accounts.models import User
from support.models import Announcement, Incident, IncidentUpdate, Part, PartDay
from support.shown_now import tell_of_change
from support.status.incidents import open_incident, write_update
from support.status.keeping import KEPT_DAYS, measure_status

DAY = 86_400
# Days ago, a part, and for how many seconds it was slow and did not work.
BAD_DAYS = (
    (9, Part.ORDERS, 1_500, 2_700),
    (9, Part.DELIVERY, 2_400, 2_700),
    (23, Part.PAYMENTS, 3_000, 0),
    (41, Part.NUMBERS, 7_200, 0),
    (64, Part.CATALOG, 5_400, 0),
)
UNKNOWN_DAY = 52  # nobody measured while the shop moved to another machine
Severity, Stage = Incident.Severity, IncidentUpdate.Stage


def write_news(staff: User, dice: random.Random, *, now: datetime) -> None:
    """Write the 90 days, an incident that is over, work that is planned, and an announcement for everybody."""
    _write_days(dice, now)
    _write_incident(staff, now)
    _write_plan(staff, now)
    Announcement.objects.create(
        titles={
            "en": "Ten percent off your first order with the code WELCOME10",
            "ru": "Скидка 10 % на первый заказ по промокоду WELCOME10",
        },
        texts={
            "en": "Enter the code when you order. It works once, for any service.",
            "ru": "Введите промокод при оформлении заказа. Он действует один раз, на любую услугу.",
        },
        link="/catalog/",
        link_labels={"en": "See all services", "ru": "Все услуги"},
        level=Announcement.Level.SUCCESS,
        starts_at=now - timedelta(days=2),
        created_by=staff,
        created_at=now - timedelta(days=2),
    )
    tell_of_change()
    measure_status(now=now)


def _write_days(dice: random.Random, now: datetime) -> None:
    today = now.astimezone(UTC).date()
    bad = {(ago, part): (slow, down) for ago, part, slow, down in BAD_DAYS}
    rows = []
    for ago in range(1, KEPT_DAYS):
        if ago == UNKNOWN_DAY:
            continue
        for part in Part:
            slow, down = bad.get((ago, part), (dice.choice((0, 0, 0, 0, 180, 360)), 0))
            ok = DAY - slow - down
            rows.append(
                PartDay(part=part, day=today - timedelta(days=ago), ok_seconds=ok, slow_seconds=slow, down_seconds=down)
            )
    passed = int((now - datetime.combine(today, time(), UTC)).total_seconds())
    rows += [PartDay(part=part, day=today, ok_seconds=passed) for part in Part]
    PartDay.objects.bulk_create(rows)


def _write_incident(staff: User, now: datetime) -> None:
    began = datetime.combine(now.astimezone(UTC).date() - timedelta(days=9), time(13, 5), UTC)
    incident = open_incident(
        titles={"en": "Orders go out late", "ru": "Заказы отправляются с задержкой"},
        severity=Severity.MAJOR,
        parts=[Part.ORDERS, Part.DELIVERY],
        stage=Stage.LOOKING,
        texts={
            "en": "Our provider does not answer. Orders are paid and wait in line; nothing is lost.",
            "ru": "Наш провайдер не отвечает. Оплаченные заказы ждут в очереди, ничего не потеряно.",
        },
        started_at=began,
        actor=staff,
        now=began + timedelta(minutes=6),
    )
    for minutes, stage, english, russian in (
        (
            45,
            Stage.WATCHING,
            "Our provider answers again, and orders go out in the order in which they were paid.",
            "Провайдер снова отвечает, заказы отправляются в том порядке, в котором были оплачены.",
        ),
        (
            95,
            Stage.RESOLVED,
            "All orders that waited have been sent. Sorry for the wait.",
            "Все ждавшие заказы отправлены. Приносим извинения за задержку.",
        ),
    ):
        write_update(
            incident.pk,
            stage=stage,
            texts={"en": english, "ru": russian},
            actor=staff,
            now=began + timedelta(minutes=minutes),
        )


def _write_plan(staff: User, now: datetime) -> None:
    begins = datetime.combine(now.astimezone(UTC).date() + timedelta(days=5), time(3), UTC)
    open_incident(
        titles={"en": "We renew the database", "ru": "Обновляем базу данных"},
        severity=Severity.MAINTENANCE,
        parts=[Part.WEBSITE],
        stage=Stage.PLANNED,
        texts={
            "en": "The site may be away for a few minutes. Orders that are under way go on.",
            "ru": "Сайт может быть недоступен несколько минут. Текущие заказы продолжат выполняться.",
        },
        started_at=begins,
        planned_until=begins + timedelta(hours=1),
        actor=staff,
        now=now - timedelta(days=1),
    )
