"""A full disk: writes are refused in words, reads go on, and all recovers by itself.

The limit is put on the serving process from outside, as large as what is there already: the
database's files and the folders of files can't grow. A PostgreSQL on another machine is told to
refuse rows with its own word for a full disk.
"""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from flask import Flask

from portal.files import storing
from tests.proofs.faults.checks import assert_chains_hold, orders_of
from tests.proofs.faults.nursery import Nursery, serve
from tests.proofs.faults.points import answer_before_commit
from tests.proofs.faults.sizes import FULL_ROUNDS
from tests.proofs.faults.town import Town

pytestmark = pytest.mark.proof

SAVED, REFUSED = 303, 503
BOUNDARY: Final = "a-boundary-of-this-proof"


def look(nursery: Nursery, path: str, cookie: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", nursery.port, timeout=30)
    try:
        connection.request("GET", path, headers={"Cookie": cookie, "Host": "localhost"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def send(nursery: Nursery, path: str, body: bytes, kind: str, cookie: str) -> tuple[int, str]:
    """Send a form as a browser does; return status and page."""
    connection = HTTPConnection("127.0.0.1", nursery.port, timeout=30)
    headers = {
        "Content-Type": kind,
        "Cookie": cookie,
        "Host": "localhost",
        "Sec-Fetch-Site": "same-origin",
    }
    try:
        connection.request("POST", path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@contextmanager
def full(town: Town, child: int) -> Iterator[None]:
    """Let nothing of the portal's data grow while the block runs."""
    if town.server is not None:
        with refusing(town):
            yield
        return
    with limited(child, 4096):  # no page fits behind the first one of the log
        yield


@contextmanager
def limited(child: int, size: int) -> Iterator[None]:
    """Let no file grow beyond a size in one process."""
    before = resource.prlimit(child, resource.RLIMIT_FSIZE)
    resource.prlimit(child, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(child, resource.RLIMIT_FSIZE, before)


@contextmanager
def refusing(town: Town) -> Iterator[None]:
    """Let PostgreSQL answer each new order as it does where its disk is full."""
    assert town.server is not None
    town.execute(
        "create or replace function no_room() returns trigger language plpgsql as $$ begin"
        " raise exception 'could not extend file: No space left on device' using errcode = '53100';"
        " end $$"
    )
    town.execute(
        "create trigger no_room before insert on purchase_order execute function no_room()"
    )
    try:
        yield
    finally:
        town.execute("drop trigger no_room on purchase_order")


def order(nursery: Nursery, quote: str, key: str, cookie: str) -> tuple[int, str]:
    form = {"quantity-1": "1", "purchase_order_number": key, "key": key}
    kind = "application/x-www-form-urlencoded"
    return send(nursery, f"/quotes/{quote}/convert", urlencode(form).encode(), kind, cookie)


def test_orders_are_refused_and_pages_are_read_until_there_is_room_again(
    town: Town, nursery: Nursery
) -> None:
    quote, cookie = town.orderable(), town.cookies["buyer"]
    child = nursery.start(serve)
    assert order(nursery, quote, "room-before", cookie)[0] == SAVED

    refused = 0
    for number in range(FULL_ROUNDS):
        with full(town, child):
            for attempt in range(3):
                status, page = order(nursery, quote, f"full-{number}", cookie)
                assert status == REFUSED, (number, attempt, status)
                assert "Nothing can be saved at the moment" in page
                assert "Send again" in page
                assert f'value="full-{number}"' in page
                refused += 1
            assert look(nursery, f"/quotes/{quote}", cookie)[0] == 200
            assert f"full-{number}" not in orders_of(town, quote)
        assert order(nursery, quote, f"full-{number}", cookie)[0] == SAVED
    assert nursery.wait(child, 0) is None
    nursery.kill(child)

    print(f"disk full on {town.database.kind}: {refused} refused, {FULL_ROUNDS} recovered")  # noqa: T201
    there = orders_of(town, quote)
    assert [len(there[f"full-{number}"]) for number in range(FULL_ROUNDS)] == [1] * FULL_ROUNDS
    assert_chains_hold(town)


def upload(key: str, photo: bytes) -> tuple[bytes, str]:
    """Return a new case with a photo as a browser sends it."""
    fields = {"kind": "question", "subject": key, "text": "It blinks.", "then": "send", "key": key}
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = "".join(parts) + (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="lamp.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    body = head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
    return body, f"multipart/form-data; boundary={BOUNDARY}"


@pytest.mark.parametrize(
    ("size", "refused", "says"),
    [
        (400 * 1024, 422, "Files can’t be stored at the moment"),
        (4 * 1024 * 1024, REFUSED, "Nothing can be saved at the moment"),  # as it is received
    ],
)
def test_a_photo_that_has_no_room_is_refused_in_words_and_leaves_no_half_file(
    town: Town, nursery: Nursery, size: int, refused: int, says: str
) -> None:
    cookie, folder = town.cookies["buyer"], town.database.data_dir / "attachments"
    name = f"photo-{size}"
    kept = set(files_in(folder))
    if town.server is None:
        town.execute("pragma wal_checkpoint(truncate)")  # so that the rows have room
    form = upload(name, b"\x89PNG\r\n\x1a\n" + bytes(size))
    child = nursery.start(serve)

    with limited(child, 300 * 1024):
        status, page = send(nursery, "/service/cases/new", *form, cookie)
        assert (status, says in page) == (refused, True)
        assert set(files_in(folder)) == kept
        assert cases(town, name) == 0
    status, page = send(nursery, "/service/cases/new", *form, cookie)
    nursery.kill(child)

    assert status == SAVED, page
    assert len(set(files_in(folder)) - kept) == 1
    assert cases(town, name) == 1


def cases(town: Town, subject: str) -> int:
    return len(town.rows("select id from service_case where subject = :subject", subject=subject))


def write_in_place(_app: Flask) -> None:
    """Write a file under its final name at once: what no process may do."""
    patch.object(storing, "_write", lambda content, path: _written(path, content)).start()


def _written(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_file_written_in_place_is_half_there(town: Town, nursery: Nursery) -> None:
    """The negative control of half files."""
    cookie, folder = town.cookies["buyer"], town.database.data_dir / "attachments"
    kept = set(files_in(folder))
    if town.server is None:
        town.execute("pragma wal_checkpoint(truncate)")
    form = upload("in place", b"\x89PNG\r\n\x1a\n" + bytes(401 * 1024))
    child = nursery.start(serve, write_in_place)
    with limited(child, 300 * 1024):
        send(nursery, "/service/cases/new", *form, cookie)
    nursery.kill(child)

    [half] = set(files_in(folder)) - kept
    half.unlink()


def wait_until_at_rest(child: int) -> None:
    """Wait until a server does nothing any more: a thread listens, one looks after its parent."""
    deadline = time.monotonic() + 60
    while len(list(Path(f"/proc/{child}/task").iterdir())) > 2:
        assert time.monotonic() < deadline, "the server is still busy"
        time.sleep(0.02)


def test_a_server_that_answers_before_its_commit_says_saved_what_is_not(
    town: Town, nursery: Nursery
) -> None:
    """The negative control of refusals: the disk does refuse, whatever the server says."""
    quote, cookie = town.orderable(), town.cookies["buyer"]
    child = nursery.start(serve, answer_before_commit)
    with full(town, child):
        status, _page = order(nursery, quote, "hasty", cookie)
        wait_until_at_rest(child)
    nursery.kill(child)

    assert (status, orders_of(town, quote)) == (SAVED, {})


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
