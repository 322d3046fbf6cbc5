"""Neighbours of the shop that misbehave: a server that takes connections and says nothing, a line that can be cut.

A line that is cut tells both ends so; one that falls silent tells nobody anything, as a network does that is gone.
"""

import socket
import threading
from contextlib import suppress
from typing import Self


class Silent:
    """Takes connections on `port` of 127.0.0.1 and never says a word, until the end of the `with`."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._door.getsockname()[1])
        self.taken: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._take, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._door, *self.taken):
            one.close()

    def _take(self) -> None:
        with suppress(OSError):  # closed
            while True:
                self.taken.append(self._door.accept()[0])


class Line:
    """A way to a server that can be cut, as when that server is being restarted; its own end is on `port` of `at`."""

    def __init__(self, host: str, port: int, *, at: str = "127.0.0.1") -> None:
        self._to, self._at = (host, port), at
        self.port = 0
        self._flows = threading.Event()
        self._flows.set()
        self._door: socket.socket | None = None
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.restore()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Close every connection, and refuse new ones."""
        with self._lock:
            door, self._door = self._door, None
            ends, self._ends = self._ends, []
        if door is not None:
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)  # closing alone would not wake who waits for a connection
            door.close()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._flows.set()  # who waits there finds it closed

    def fall_silent(self) -> None:
        """Carry nothing any more, and close nothing: what is sent meanwhile waits."""
        self._flows.clear()

    def speak_again(self) -> None:
        """Carry what has waited, and what comes."""
        self._flows.set()

    def restore(self) -> None:
        """Let connections through again, on the same port."""
        door = socket.create_server((self._at, self.port), backlog=64)
        self.port = int(door.getsockname()[1])
        self._door = door
        threading.Thread(target=self._take, args=[door], daemon=True).start()

    def _take(self, door: socket.socket) -> None:
        with suppress(OSError):  # cut
            while True:
                near = door.accept()[0]
                self._flows.wait()
                far = socket.create_connection(self._to)
                with self._lock:
                    self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self._flows.wait()
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
