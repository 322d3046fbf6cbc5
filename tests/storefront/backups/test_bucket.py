"""Backups in a bucket: a server that speaks S3 on this machine."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

import obstore
import pytest
import requests
from django.core.management import call_command
from django.utils import timezone
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from storefront.backups.places import BackupFailed, Bucket
from storefront.backups.take import take_backup
from storefront.models import Backup

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bucket(backups: Any, settings: Any) -> Iterator[S3Store]:
    """An empty bucket that backups go to."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {
        "endpoint": f"http://{host}:{port}",
        "region": "us-east-1",
        "access_key_id": "reader",
        "secret_access_key": "writer",
    }
    settings.BACKUPS = replace(backups, to="s3://keep/shop", s3=options)
    store = S3Store("keep", client_options={"allow_http": True}, **options)
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10).raise_for_status()  # it is the process's
    requests.put(f"http://{host}:{port}/keep", timeout=10).raise_for_status()
    yield store
    server.stop()


def paths(store: S3Store) -> list[str]:
    return sorted(row["path"] for rows in obstore.list(store) for row in rows)


def test_backup_to_a_bucket_is_read_again_and_opens(bucket, identity) -> None:
    taken = take_backup(now=timezone.now())

    assert paths(bucket) == [f"shop/{taken.name}", f"shop/{taken.name}.json"]
    assert taken.verified_at is not None
    said = StringIO()
    call_command("restore", f"s3://keep/shop/{taken.name}", "--check", "--identity", identity[0], stdout=said)
    assert "is whole" in said.getvalue()


def test_what_is_larger_than_one_piece_arrives_whole_or_not_at_all(bucket, settings) -> None:
    place = Bucket(settings.BACKUPS.to, settings.BACKUPS.s3)
    piece = b"x" * 1024 * 1024

    def write(name: str, *, breaks: bool = False) -> None:
        with place.writing(name) as file:
            for _each in range(20):
                file.write(piece)
            if breaks:
                raise RuntimeError

    write("whole")
    with pytest.raises(RuntimeError):
        write("half", breaks=True)

    assert place.names() == ["whole"]
    with place.reading("whole") as file:
        assert file.read() == piece * 20


def test_backup_when_the_bucket_is_not_there_says_so(bucket, settings) -> None:
    settings.BACKUPS = replace(settings.BACKUPS, to="s3://nowhere/shop")

    with pytest.raises(BackupFailed, match="s3://nowhere/shop"):
        take_backup(now=timezone.now())

    assert Backup.newest_good() is None
