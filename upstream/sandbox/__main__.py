"""`python -m upstream.sandbox`: serve the stand-in upstream until it is stopped."""

import argparse
import os
import signal
import sys
import tempfile
import textwrap
import threading
from pathlib import Path

import msgspec

from upstream.sandbox.catalog import MAX_SERVICES
from upstream.sandbox.orders import Settings
from upstream.sandbox.profiles import PROFILES, checked_profiles
from upstream.sandbox.server import API_PATH, Listener
from upstream.sandbox.store import forget
from upstream.sandbox.world import Start, World


def _arguments() -> argparse.Namespace:
    profiles = "\n".join(f"  {name:<12}{text}" for name, text in PROFILES.items())
    parser = argparse.ArgumentParser(
        prog="python -m upstream.sandbox",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"profiles:\n{_folded(profiles)}",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765, help="0: a free one")
    parser.add_argument("--services", type=int, help=f"size of the catalog, 1 to {MAX_SERVICES} (200)")
    parser.add_argument("--seed", type=int, help="the same seed gives the same catalog and the same fates (1)")
    parser.add_argument("--state", type=Path, help="SQLite file that a restart goes on from; else a temporary one")
    parser.add_argument("--speed", type=float, help="how fast time passes for orders; 0: it stands still (1)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="changes",
        help="a setting of the control endpoint, as JSON: codeless_rate=0.5; holds for an old state file, too",
    )  # fmt: skip
    parser.add_argument("--balance", default="1000.00", help="what a new state file starts with")
    parser.add_argument("--key", default="sandbox-key", help="the API key")
    parser.add_argument(
        "--profile", action="append", dest="profiles", metavar="NAME",
        help="manners of a supplier, see below; may be named several times; else those of the state file",
    )  # fmt: skip
    parser.add_argument("--control-port", type=int, help="a second port for /control/ alone, open through every fault")
    parser.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--watch-stdin", action="store_true", help="end when stdin closes")
    parser.add_argument("--forget", action="store_true", help="remove the state file when stdin closes")
    return parser.parse_args()


def _folded(rows: str) -> str:
    """Break lines that are longer than a terminal is wide, and go on below their texts."""
    return "\n".join(textwrap.fill(row, 100, subsequent_indent=" " * 14) for row in rows.splitlines())


def main() -> int:
    """Serve until SIGTERM, SIGINT or, if asked to watch it, the end of stdin; return the exit status."""
    options = _arguments()
    end, orphaned = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    path, temporary = options.state, options.state is None
    if path is None:
        handle, name = tempfile.mkstemp(prefix="hstockplus-sandbox-", suffix=".sqlite3")
        os.close(handle)
        path = Path(name)
    try:
        world = World(path, *_start(options))
        _change(world, options.changes)
        api = Listener(world, options.host, options.port)
        control = api
        if options.control_port is not None:
            control = Listener(world, options.host, options.control_port, api=False, gate=api)
    except (OSError, ValueError) as error:
        print(f"sandbox: {error}", file=sys.stderr)  # noqa: T201 - a command speaks to its terminal
        return 1
    _announce(api, control, options.ready_fd, world.settings.key)
    if options.watch_stdin:
        threading.Thread(target=_watch_stdin, args=(end, orphaned), daemon=True).start()
    end.wait()
    with world.lock:  # no call is cut in two
        world.store.close()
        if temporary or (options.forget and orphaned.is_set()):
            forget(path)
        # Threads that still hold connections would find the file closed.
        os._exit(0)


def _start(options: argparse.Namespace) -> tuple[Start, frozenset[str]]:
    names = ("services", "seed", "speed", "profiles")
    given = frozenset(name for name in names if getattr(options, name) is not None)
    usual = Start()
    settings = Settings(
        key=options.key,
        speed=usual.settings.speed if options.speed is None else options.speed,
        profiles=checked_profiles(options.profiles or ()),
    )
    start = Start(
        services=usual.services if options.services is None else options.services,
        seed=usual.seed if options.seed is None else options.seed,
        balance=options.balance,
        settings=settings,
    )
    return start, given


def _change(world: World, changes: list[str]) -> None:
    """Change settings by what was given as NAME=VALUE. Raises ValueError for an unknown name or impossible value."""
    pairs = (change.partition("=") for change in changes)
    fields = {name: msgspec.json.decode(value) for name, _sign, value in pairs}
    if fields:
        with world.lock, world.store.transaction():
            world.change_settings(fields)


def _announce(api: Listener, control: Listener, ready_fd: int | None, key: str) -> None:
    url, control_url = f"{api.address}{API_PATH}", f"{control.address}/control/"
    if ready_fd is None:
        print(f"HstockPlus sandbox: {url}  key {key}  control {control_url}", flush=True)  # noqa: T201 - as above
        return
    with os.fdopen(ready_fd, "wb") as pipe:
        pipe.write(msgspec.json.encode({"url": url, "control": control_url, "key": key}))


def _watch_stdin(end: threading.Event, orphaned: threading.Event) -> None:
    while sys.stdin.buffer.read(1024):
        pass
    orphaned.set()
    end.set()


if __name__ == "__main__":
    sys.exit(main())
