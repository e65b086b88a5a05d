"""`portal serve` as an operator runs it: what is killed is there again, without anybody's help."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Final

import pytest

from tests.databases import Content, Kind, Shelf
from tests.proofs.faults.writing import write_mails
from tests.stage import opened
from tests.stories.browsing import Server

pytestmark = pytest.mark.proof

PATIENCE_SECONDS: Final = 60


def children(pid: int) -> dict[int, str]:
    """Return the processes that one has started, with their command lines."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    rows = [line.split(maxsplit=1) for line in listed.splitlines()]
    return {int(row[0]): row[1] for row in rows if len(row) == 2}


def wait_for(what: Callable[[], bool], said: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


@pytest.mark.any_database
def test_worker_and_web_process_are_started_again(database_kind: Kind, shelf: Shelf) -> None:
    database = shelf.copy(database_kind, Content.SMALL)
    with Server(database) as server:
        before = children(server.process.pid)
        assert len(before) >= 2
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_for(
            lambda: len(set(children(server.process.pid)) - set(before)) >= len(before),
            "they are not started again",
        )
        with opened(database):
            write_mails(2)
        server.__enter__()  # waits until it answers
        mails = server.mails_to("buyer@acme.example", at_least=2)
        assert len({mail["Message-ID"] for mail in mails}) == 2
    shelf.drop(database)
