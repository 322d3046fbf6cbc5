"""Long answers in files: one process writes, others wait; what cannot be written is not half kept."""

import os
import resource
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.utils import timezone

from api.service_list import list_files
from api.service_list.list_files import file_of
from catalog.caching.version import Version

WRITER = """
import sys, time
import django
django.setup()
from pathlib import Path
from api.service_list.list_files import file_of
from catalog.caching.version import Version
def write(file):
    with Path(sys.argv[1], "written").open("a") as log:
        log.write("once ")
    for number in range(20):
        time.sleep(0.05)
        file.write(b"%d," % number)
print(file_of("key", Version(7), lambda: None, write).read().decode())
"""


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.API_CACHE_DIR = tmp_path
    return tmp_path


def never() -> None:
    return None


def of(text: str) -> Any:
    return lambda file: file.write(text.encode())


def test_file_of_when_processes_ask_at_once_then_one_writes_and_all_get_it(folder: Path) -> None:
    environment = {**os.environ, "API_CACHE_DIR": str(folder), "PAGE_CACHE_SECONDS": "300"}
    environment["DJANGO_SETTINGS_MODULE"] = "storefront.settings"
    command = [sys.executable, "-c", WRITER, str(folder)]
    asked = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _each in range(3)]
    answers = {each.communicate(timeout=60)[0].strip() for each in asked}

    assert answers == {"".join(f"{number}," for number in range(20))}
    assert (folder / "written").read_text() == "once "


def test_file_of_when_it_is_asked_again_then_nothing_is_made(folder: Path) -> None:
    with (
        file_of("key", Version(7), never, of("first")) as first,
        file_of("key", Version(7), never, of("second")) as second,
    ):
        assert (first.read(), second.read()) == (b"first", b"first")


def test_file_of_when_version_key_or_time_is_another_then_it_is_made_anew(folder: Path) -> None:
    soon = timezone.now() + timedelta(seconds=0.2)
    assert file_of("key", Version(7), lambda: soon, of("first")).read() == b"first"
    assert file_of("other", Version(7), never, of("other")).read() == b"other"
    time.sleep(0.25)
    assert file_of("key", Version(7), never, of("later")).read() == b"later"
    assert file_of("key", Version(8), never, of("newer")).read() == b"newer"


def test_file_of_when_the_disk_is_full_then_there_is_none_and_nothing_is_left(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def write(file: BinaryIO) -> None:
        for _each in range(100):
            file.write(10_000 * b"x")

    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        assert file_of("key", Version(7), never, write) is None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert [path for path in folder.iterdir() if path.suffix != ".lock"] == []
    assert file_of("key", Version(7), never, of("room again")).read() == b"room again"


def test_file_of_when_making_it_fails_then_nothing_is_kept(folder: Path) -> None:
    def write(file: BinaryIO) -> None:
        file.write(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        file_of("key", Version(7), never, write)

    assert file_of("key", Version(7), never, of("whole")).read() == b"whole"


def test_file_of_when_another_writes_for_too_long_then_there_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_files, "PATIENCE_SECONDS", 0.1)

    def write(file: BinaryIO) -> None:
        assert file_of("key", Version(7), never, of("mine")) is None  # as another thread would be told
        file.write(b"slow")

    assert file_of("key", Version(7), never, write).read() == b"slow"


def test_file_of_when_there_are_many_then_the_oldest_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_files, "MAX_FILES", 3)
    left_behind = folder / "crash.part"
    left_behind.write_text("half")
    os.utime(left_behind, (1, 1))
    for number in range(5):
        file_of(f"key {number}", Version(7), never, of(str(number))).close()
        time.sleep(0.01)

    assert sorted(path.read_text() for path in folder.glob("*.json")) == ["2", "3", "4"]
    assert not left_behind.exists()


def test_file_of_when_pages_are_not_kept_then_there_is_none(folder: Path, settings: Any) -> None:
    settings.PAGE_CACHE_SECONDS = 0

    assert file_of("key", Version(7), never, of("text")) is None
