"""A mail server that refuses, hangs or drips: pages go on, and mails drain in order afterwards."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.proofs.faults.clients import AtWork, Orderer
from tests.proofs.faults.mail import MailTarget, Mood, mail_target
from tests.proofs.faults.nursery import Nursery, serve
from tests.proofs.faults.sizes import MAILS, SEED
from tests.proofs.faults.toil import ImpatientMail, MailTo, each_for_itself, toil
from tests.proofs.faults.town import Town
from tests.proofs.faults.writing import (
    last_job,
    wait_until_ended,
    write_mails,
    written_ids,
)
from tests.stage import opened

pytestmark = pytest.mark.proof


@pytest.fixture
def target() -> Iterator[MailTarget]:
    with mail_target() as listening:
        yield listening


def meets(target: MailTarget, mood: Mood, times: int) -> None:
    """Wait until so many have come to a server in that mood."""
    deadline = time.monotonic() + 60
    while target.met[mood] < times:
        assert time.monotonic() < deadline, f"nobody came to a server that {mood}"
        time.sleep(0.05)


@pytest.mark.parametrize("mood", [Mood.REFUSES, Mood.HANGS, Mood.DRIPS])
def test_orders_are_placed_meanwhile_and_all_mails_come_in_order(
    town: Town, nursery: Nursery, target: MailTarget, mood: Mood, tmp_path: Path
) -> None:
    is_away = tmp_path / "away"
    is_away.touch()
    since = last_job(town)
    target.mood = mood
    quote = town.orderable()
    orderer = Orderer(town, nursery, f"while-it-{mood}", SEED, quote)
    server = nursery.start(serve)
    worker = nursery.start(toil, timedelta(), MailTo(target.url), ImpatientMail(0.5, is_away))

    with opened(town.database):
        write_mails(MAILS)
    with AtWork(orderer) as work:
        meets(target, mood, 3)
    placed, held_back = work.acknowledged, list(target.taken)
    target.mood = Mood.TAKES
    is_away.unlink()
    wait_until_ended(town, since)
    nursery.kill(worker)
    nursery.kill(server)

    print(f"mail {mood}: {placed} orders meanwhile, then {len(target.taken)} mails")  # noqa: T201
    assert (work.strange, held_back) == ([], [])
    assert placed > 0
    assert len(target.taken) >= 2 * MAILS
    assert [message_id for message_id, _receiver in target.taken] == written_ids(town, since)


def test_mails_that_wait_each_for_itself_come_out_of_order(
    town: Town, nursery: Nursery, target: MailTarget
) -> None:
    """The negative control: what was refused for long waits longest, and what is new overtakes."""
    since = last_job(town)
    target.mood = Mood.REFUSES
    worker = nursery.start(toil, timedelta(), MailTo(target.url), each_for_itself)
    with opened(town.database):
        write_mails(1)
        meets(target, Mood.REFUSES, 4)
        target.mood = Mood.TAKES
        write_mails(1)
    wait_until_ended(town, since)
    nursery.kill(worker)

    assert [message_id for message_id, _receiver in target.taken] != written_ids(town, since)
