"""kill -9 of the worker amid mails and files: each job ends, no mail is lost, no file is half."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from portal.files.storing import sweep_partial
from portal.jobs.actions import LEASE
from tests.proofs.faults.mail import MailTarget, mail_target
from tests.proofs.faults.nursery import Nursery
from tests.proofs.faults.points import Death, Point
from tests.proofs.faults.sizes import KILLS, SEED
from tests.proofs.faults.toil import (
    Arrange,
    DiesAmidFile,
    DiesAmidMail,
    DiesBeforeNoting,
    MailTo,
    send_later,
    toil,
    without_lease,
)
from tests.proofs.faults.town import Town
from tests.proofs.faults.writing import (
    ask_for_a_file,
    last_job,
    last_message,
    left,
    sent_ids,
    wait_until_ended,
    write_mails,
)
from tests.stage import opened

pytestmark = pytest.mark.proof

SIGKILL = 9
ENOUGH = 8
"""More mails than any worker sends before it is killed at a named point."""


@pytest.fixture
def target() -> Iterator[MailTarget]:
    with mail_target() as listening:
        yield listening


def deaths(chance: Random) -> Iterator[tuple[str, Arrange | None]]:
    """Yield each point in turn, reached for a random time, and random moments."""
    while True:
        yield "amid a mail", DiesAmidMail(chance.randint(1, 14))
        yield "before a mail is noted", DiesBeforeNoting(chance.randint(1, 2))
        yield "amid a file", DiesAmidFile(1)
        for point in (Point.AMID_STATEMENTS, Point.BEFORE_COMMIT, Point.AFTER_COMMIT):
            yield point, Death(point, chance.randint(1, 4))
        yield "at a random moment", None


def test_each_job_ends_and_each_mail_arrives(
    town: Town, nursery: Nursery, target: MailTarget
) -> None:
    chance, died = Random(SEED), Counter[str]()  # noqa: S311 - chance, not a secret
    since, first = last_job(town), last_message(town)
    ways = deaths(chance)
    with opened(town.database):
        for number in range(KILLS):
            where, death = next(ways)
            if left(town, since) < ENOUGH:
                write_mails(ENOUGH)
            if where == "amid a file":
                ask_for_a_file(f"file-{number}")
            ahead = number * (LEASE + timedelta(seconds=5))
            arrangements = [MailTo(target.url), *([death] if death else [])]
            child = nursery.start(toil, ahead, *arrangements)
            if death is None:
                time.sleep(chance.uniform(0.02, 0.3))
                nursery.kill(child)
            else:
                assert nursery.wait(child) == SIGKILL, nursery.said(child)
            died[where] += 1
        last = nursery.start(toil, (KILLS + 5) * (LEASE + timedelta(seconds=5)), MailTo(target.url))
        wait_until_ended(town, since)
        nursery.kill(last)

    jobs = jobs_of(town, since)
    print(  # noqa: T201
        f"workers killed on {town.database.kind}: {dict(died)};"
        f" {dict(Counter((kind, state) for kind, state, _error in jobs))};"
        f" {len(target.taken)} mails taken, {target.repeats} of them again"
    )
    assert all(error for _kind, state, error in jobs if state == "failed")
    assert {kind for kind, state, _error in jobs if state == "failed"} <= {"lists.export"}
    assert_mails_arrived(town, target, first)
    assert target.repeats <= KILLS
    assert_files_are_whole(town, since)


def jobs_of(town: Town, since: int) -> Sequence[tuple[str, str, str | None]]:
    rows = town.rows(
        "select kind, state, error from job where id > :since"
        " and kind in ('messages.deliver', 'lists.export')",
        since=since,
    )
    return [(kind, state, error) for kind, state, error in rows]


def assert_mails_arrived(town: Town, target: MailTarget, first: int) -> None:
    """Nothing lost, noted once, and repeated only under the same Message-ID."""
    noted = sent_ids(town, first)
    assert len(noted) == len(set(noted))
    assert {message_id for message_id, _receiver in target.taken} == set(noted)
    [(written,)] = town.rows("select count(*) from message where id > :first", first=first)
    assert len(noted) == written > KILLS // 3


def assert_files_are_whole(town: Town, since: int) -> None:
    folder: Path = town.database.settings.exports_dir
    whole = {path.name for path in folder.glob("*/*") if not path.name.startswith(".")}
    for path in folder.glob("*/*"):
        if path.name in whole:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    promised = {
        digest
        for (digest,) in town.rows(
            "select file_hash from job_request join job on job.id = job_request.job_id"
            " where job.state = 'done' and job.id > :since",
            since=since,
        )
    }
    assert promised
    assert promised <= whole
    assert sweep_partial(folder, datetime.now(UTC) + timedelta(hours=2)) > 0
    assert {path.name for path in folder.glob("*/.partial*")} == set()


def test_a_worker_that_notes_before_it_sends_loses_mails(
    town: Town, nursery: Nursery, target: MailTarget
) -> None:
    """The negative control: kills do fall between noting and sending."""
    since, first = last_job(town), last_message(town)
    with opened(town.database):
        write_mails(5)
        for number in range(3):
            noted = len(sent_ids(town, first))
            ahead = number * (LEASE + timedelta(seconds=5))
            child = nursery.start(toil, ahead, MailTo(target.url), send_later)
            while len(sent_ids(town, first)) == noted:
                time.sleep(0.02)
            nursery.kill(child)
        last = nursery.start(toil, timedelta(hours=1), MailTo(target.url))
        wait_until_ended(town, since)
        nursery.kill(last)

    lost = set(sent_ids(town, first)) - {message_id for message_id, _receiver in target.taken}
    print(f"noted before sending: {len(lost)} mails lost")  # noqa: T201
    assert lost


@pytest.mark.parametrize("is_guarded", [True, False], ids=["with lease", "without"])
def test_two_workers_share_the_mails_only_by_their_leases(
    town: Town, nursery: Nursery, target: MailTarget, *, is_guarded: bool
) -> None:
    """Nobody dies and nothing is sent twice; without the lease, the negative control, it is."""
    since = last_job(town)
    with opened(town.database):
        write_mails(15)
    arrangements = [MailTo(target.url), *([] if is_guarded else [without_lease])]
    children = [nursery.start(toil, timedelta(), *arrangements) for _ in range(2)]
    wait_until_ended(town, since)
    for child in children:
        nursery.kill(child)

    assert (target.repeats == 0) is is_guarded
