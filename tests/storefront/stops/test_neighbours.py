"""What the shop lives beside may be slow or broken: health checks answer, pages do, and nothing is sold twice."""

import resource
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection, transaction

from notifications.letters import write_letter
from notifications.models import Letter
from orders.models import Order, Status
from storefront.demo.processes import free_port
from tests.storefront.stops.neighbours import Silent
from tests.storefront.stops.servers import Watched, asked
from tests.workers import wait_for

pytestmark = [pytest.mark.django_db(transaction=True)]

# The promise is a second; the rest is for a machine that runs other tests beside. What fails takes many seconds.
LIVE_SECONDS = 2.5


def test_web_when_the_mail_server_is_silent_and_redis_away_then_pages_answer_and_orders_are_taken(
    web, sandbox, key, service, project
):
    """Errors are mailed by the process itself while the broker is away; nobody waits for that."""
    with Silent() as mail_server:
        mail = {"EMAIL_URL": f"smtp://127.0.0.1:{mail_server.port}", "ADMIN_EMAILS": "admin@example.com"}
        web.start(**mail, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
        with Watched(web) as watched:
            buy = {"key": key, "action": "add", "service": service.pk, "link": "https://x.com/a", "quantity": 100}
            bought = [web.call(**buy).result(30).json() for _each in range(3)]
            number = web.call(key=key, action="add_sms", project_id=project.pk).result(60).json()
            assert web.get("/catalog/").status_code == 200
            ready = web.get("/health/ready")
            wait_for(lambda: mail_server.taken, "an error is being mailed")
            assert web.get("/catalog/").status_code == 200

    assert watched.slowest < LIVE_SECONDS
    assert (ready.status_code, ready.json()["redis"], ready.json()["database"]) == (200, "failed", "ok")
    assert {answer["order"] for answer in [*bought, *number["orders"]]} == set(
        Order.objects.values_list("pk", flat=True)
    )


@pytest.mark.long
def test_web_when_redis_takes_connections_and_never_answers_then_pages_do_and_orders_are_taken(
    web, sandbox, key, service
):
    with Silent() as redis_server:
        web.start(REDIS_URL=f"redis://127.0.0.1:{redis_server.port}/0", WEB_THREADS="6")
        with Watched(web) as watched:
            buy = {"key": key, "action": "add", "service": service.pk, "link": "https://x.com/a", "quantity": 100}
            buying = [web.call(**buy) for _each in range(3)]
            bought = [answer.result(30).json()["order"] for answer in buying]
            assert web.get("/catalog/").status_code == 200

    assert watched.slowest < LIVE_SECONDS
    assert set(bought) == set(Order.objects.values_list("pk", flat=True))


@pytest.mark.broker
def test_worker_when_the_mail_server_is_silent_and_many_letters_wait_then_orders_are_sent_at_once(
    workers, place, sandbox
):
    with Silent() as mail_server:
        workers.environment["EMAIL_URL"] = f"smtp://127.0.0.1:{mail_server.port}"
        workers.worker()  # of four threads
        for number in range(12):  # each of them wakes one
            with transaction.atomic():
                write_letter(address=f"new{number}@example.com", subject="Confirm", body="your address")
            time.sleep(0.1)  # or one message would wake one thread for several
        wait_for(lambda: mail_server.taken, "a mail is on its way")

        order = place()

        wait_for(lambda: Order.objects.get(pk=order.pk).status == Status.PENDING, "it is sent", seconds=10)
    assert Letter.objects.count() == 12


def test_web_when_more_customers_wait_for_a_hanging_supplier_than_it_has_threads_then_others_are_served(
    web, sandbox, key, project
):
    sandbox.fail_rate("slow", 1, action="add_sms", seconds=20)
    web.start(WEB_THREADS="6", API_CALLS_AT_ONCE="50", UPSTREAM_TIMEOUT_SECONDS="4")
    with Watched(web) as watched:
        answers = [web.call(key=key, action="add_sms", project_id=project.pk, quantity=1) for _each in range(15)]
        wait_for(asked(sandbox, "add_sms"), "the first purchases have reached the supplier")

        assert web.get("/catalog/").status_code == 200

        errors = Counter(str(answer.result(60).json().get("error", "")) for answer in answers)

    assert watched.slowest < LIVE_SECONDS
    assert errors["Too many requests at once, rate limit exceeded"] == 12  # half of the threads wait
    assert Order.objects.count() == 3


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Linux's way to let writing fail")
@pytest.mark.skipif(connection.vendor == "sqlite", reason="there the database is on that disk")
def test_web_when_its_disk_is_full_then_pages_and_long_lists_are_answered(web, sandbox, key, service, tmp_path: Path):
    process = web.start(API_CACHE_DIR=str(tmp_path / "api")).process
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        resource.prlimit(int(child), resource.RLIMIT_FSIZE, (0, 0))  # whatever it writes to a file fails
    with Watched(web) as watched:
        listed = web.call(key=key, action="services").result(30).json()
        buy = {"key": key, "action": "add", "service": service.pk, "link": "https://x.com/a", "quantity": 100}
        bought = web.call(**buy).result(30).json()
        assert web.get("/catalog/").status_code == 200

    assert watched.slowest < LIVE_SECONDS
    assert [row["service"] for row in listed["services"]] == [service.pk]
    assert bought == {"order": Order.objects.get().pk}
    assert not list((tmp_path / "api").glob("*"))
