"""A complete shop as processes of its own: web, worker and beat, with its own database, Redis and upstream."""

import base64
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

from storefront.demo.processes import Child, Processes, free_port
from tests.provision.environment import variables_of_the_shop
from tests.storefront.settings_source import ROOT

# Everything waits much shorter than in production, but in the same proportions.
TIMES = {
    "ORDERS_WAKE_SECONDS": "1",
    "ORDERS_POLL_MIN_SECONDS": "1",
    "ORDERS_POLL_MAX_SECONDS": "3",
    "ORDERS_POLL_RETRY_SECONDS": "1",
    "SMS_POLL_SECONDS": "1",
    "SMS_GRACE_SECONDS": "2",
    "FORWARD_ORDERS_EVERY_SECONDS": "1",
    "RELEASE_CLAIMS_EVERY_SECONDS": "1",
    "POLL_ORDERS_EVERY_SECONDS": "1",
    "POLL_NUMBERS_EVERY_SECONDS": "1",
    "RECONCILE_EVERY_SECONDS": "1",
    "RESUME_FORWARDING_EVERY_SECONDS": "1",
    "PROBE_FOREIGN_IDS_EVERY_SECONDS": "3",
    # The syncs are run by hand here.
    "SYNC_CATALOG_EVERY_SECONDS": "86400",
    "SYNC_SMS_EVERY_SECONDS": "86400",
}

# The shop's customer with money and an API key; printed is the key alone.
OPEN = """
import json
from django.core.management import call_command
from django.utils import timezone
from accounts.models import ApiKey, User
from accounts.keys.api_keys import create_api_key
from catalog.models import Category
from catalog.pricing.repricing import reprice_services
from wallet.models import LedgerEntry
from wallet.operations import credit

class Silence:
    def write(self, text): pass
    def flush(self): pass

call_command("sync_catalog", stdout=Silence())
call_command("sync_sms", stdout=Silence())
Category.objects.update(rate_per=1000, rate_confirmed_at=timezone.now())
reprice_services(now=timezone.now())
user = User.objects.create_user("buyer@example.com")
credit(user=user, amount_micros=100_000_000, kind=LedgerEntry.Kind.ADJUSTMENT, reference="credit:first", note="n")
key, text = create_api_key(user=user, name="chain")
ApiKey.objects.filter(pk=key.pk).update(calls_per_minute=1_000_000)
print("OPENED " + json.dumps(text))
"""


class Shop:
    """One shop. `open` fills its database and starts it; `key` is then that of its customer, who has 100.00."""

    def __init__(self, name: str, folder: Path, processes: Processes, *, redis_url: str, **environment: str) -> None:
        self.name, self.folder = name, folder / name
        self.folder.mkdir()
        self.database = self.folder / "shop.sqlite3"
        self._processes = processes
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}/api/v2"
        self.key = ""
        self._starts = 0
        foreign = variables_of_the_shop() | {"DJANGO_SETTINGS_MODULE"}
        self._environment = {
            **{key: value for key, value in os.environ.items() if key not in foreign},
            **TIMES,
            "DOTENV": os.devnull,
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "ALLOWED_HOSTS": "127.0.0.1",
            "SITE_URL": f"http://127.0.0.1:{self._port}",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REDIS_URL": redis_url,
            "AUDIT_TOLERANCE": "0",
            "EMAIL_URL": "dummymail://",
            "WEB_CONCURRENCY": "1",
            "UPSTREAM_MAX_PER_SECOND": "200",
            "UPSTREAM_KEY": "none-yet",
            **environment,
        }

    def open(self) -> None:
        """Fill the database, whose tables are there, and start the processes."""
        opened = self.manage("shell", "-c", OPEN)
        self.key = json.loads(opened.stdout.rpartition("OPENED ")[2])
        self._web = self._start("web", "gunicorn", "storefront.wsgi", "--bind", f"127.0.0.1:{self._port}")
        self.start_worker()
        self._start("beat", "celery", "-A", "storefront", "beat", "--schedule", str(self.folder / "beat"))

    def buys_with(self, key: str) -> None:
        """Buy upstream with this key, from the next process on."""
        self._environment["UPSTREAM_KEY"] = key

    def start_worker(self) -> None:
        """Start the worker, the first time or after it was killed."""
        self._worker = self._start(
            *("worker", "celery", "-A", "storefront", "worker", "--pool", "threads", "--concurrency", "6"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "--hostname", f"{self.name}@chain"),
        )

    def kill_worker(self) -> None:
        """End the worker as a power cut would."""
        self._worker.process.kill()
        self._worker.process.wait()
        self._processes.forget(self._worker)

    def await_web(self, seconds: float = 60) -> None:
        """Return when the API answers."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at and self._web.process.poll() is None:
            try:
                if "balance" in self.call("balance"):
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError(f"{self.name} does not answer:\n{self._web.tail(40)}")

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a management command of this shop."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"{self.name}: {arguments}\n{done.stdout}\n{done.stderr}"
        return done

    def call(self, action: str, **params: Any) -> Any:
        """Call this shop's API as its customer."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(self.url, {"key": self.key, "action": action, **params}, timeout=60)
        return answer.json()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask this shop's database."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30) as connection:
            return connection.execute(sql, values).fetchall()

    def number(self, sql: str, *values: Any) -> int:
        """Ask for one sum, in micros."""
        [(value,)] = self.rows(sql, *values)
        return int(value or 0)

    def logs(self) -> str:
        """Return how its processes' logs end."""
        return "\n".join(f"--- {log}\n{log.read_text(errors='replace')[-3000:]}" for log in self.folder.glob("*.log"))

    def _start(self, name: str, *module: str) -> Child:
        self._starts += 1
        return self._processes.start(
            f"{self.name} {name}",
            [sys.executable, "-m", *module],
            log=self.folder / f"{name}.{self._starts}.log",
            environment=self._environment,
            folder=ROOT,
            stop_seconds=5.0,
        )
