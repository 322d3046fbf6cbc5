"""PgBouncer in transaction mode, where this machine has one: PyPI has no wheel of it, Debian has a package."""

import os
import pwd
import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import psycopg

from storefront.demo.processes import ChildFailed, Processes, free_port
from tests.provision import apt

START_SECONDS = 10.0
MISSING = "no pgbouncer on PATH: apt-get install pgbouncer"
CONFIGURATION = """\
[databases]
* = host={host} port={port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
"""


def program() -> str | None:
    """Return the path of PgBouncer; Debian has it where only root's PATH leads."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def provide() -> None:
    """Install one where there is none and that is possible; without it the tests behind it are skipped, and say so."""
    if program() is None:
        apt.install("pgbouncer")


class PgBouncer:
    """A pool of `size` connections for each user and database, before the server of this URL; a context manager.

    `url` leads through it to the same database.
    """

    def __init__(self, database_url: str, *, size: int) -> None:
        self._to, self._size = urlsplit(database_url), size
        self._folder = Path(tempfile.mkdtemp(prefix="shop-pgbouncer-"))
        self._processes = Processes()
        self.port = 0
        self.url = ""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it and remove its folder."""
        self._processes.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        owner = None
        if os.geteuid() == 0:  # it refuses root
            nobody = pwd.getpwnam("nobody")
            owner = (nobody.pw_uid, nobody.pw_gid)
            self._folder.chmod(0o755)
        (self._folder / "users").write_text(f'"{self._to.username}" ""\n')
        child = None
        for _attempt in range(3):  # another program may take the free port first
            self.port = free_port()
            values = {"host": self._to.hostname, "port": self._to.port, "listen_port": self.port}
            configuration = self._folder / "pgbouncer.ini"
            configuration.write_text(CONFIGURATION.format(**values, folder=self._folder, size=self._size))
            command = [program() or "", str(configuration)]
            child = self._processes.start("PgBouncer", command, log=self._folder / "log", owner=owner)
            self.url = self._to._replace(netloc=f"{self._to.username}:@127.0.0.1:{self.port}").geturl()
            deadline = time.monotonic() + START_SECONDS
            while child.process.poll() is None and time.monotonic() < deadline:
                try:
                    psycopg.connect(self.url, connect_timeout=2).close()
                except psycopg.OperationalError:
                    time.sleep(0.05)
                else:
                    return
            self._processes.forget(child)
        raise ChildFailed(f"PgBouncer does not start:\n{child.tail() if child else ''}")
