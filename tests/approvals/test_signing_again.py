"""A limit lowered while a run is open: the run goes on to somebody who may sign, never nowhere."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from portal.accounts.models import Membership, Person
from portal.approvals import queries
from portal.approvals.actions import decide, start_run
from portal.approvals.models import ApprovalRun, StepApprover
from portal.approvals.population import load_people
from portal.approvals.reassigning import (
    CannotSignError,
    NobodyLeftError,
    find_vacancies,
    reassign_step,
)
from portal.approvals.rules import Answer, Outcome
from portal.db import db, transaction
from portal.events.models import Event
from tests.approvals.office import Office, Told, always, by
from tests.stage import PortalClient

Rows = Callable[[], dict[str, tuple[int, str]]]


def set_limit(acme: Office, name: str, limit: str | None) -> None:
    """Change a signing limit; ``None`` is without end."""
    with transaction():
        db.session.execute(
            update(Membership)
            .where(Membership.id == acme.membership(name).id)
            .values(
                signs_unlimited=limit is None,
                signing_limit=None if limit is None else Decimal(limit),
            )
        )


def say(acme: Office, name: str, run: ApprovalRun, now: datetime) -> None:
    decide(acme.actor(name), run.id, Answer.APPROVE, "", run.content_hash, now)


def waiting(run: ApprovalRun) -> list[str]:
    return list(
        db.session.scalars(
            select(Person.name)
            .join(StepApprover, StepApprover.person_id == Person.id)
            .where(StepApprover.run_id == run.id, StepApprover.is_waiting)
            .order_by(Person.name)
        )
    )


@pytest.fixture
def run(acme: Office, now: datetime) -> ApprovalRun:
    """A run of 6,000 that only Kim signs."""
    acme.set_policy(now, always(10, by("kim")), signing_limits="required")
    return start_run(acme.actor("mina"), acme.subject(), now)


def test_the_next_in_charge_who_may_sign_is_asked(
    acme: Office, run: ApprovalRun, told: Told, now: datetime
) -> None:
    set_limit(acme, "kim", "10")

    say(acme, "kim", run, now)

    assert (waiting(run), told.outcomes) == (["Lee"], [])
    assert [step.level for step in queries.load_run(run.id).steps] == [1, 2]
    assert "approval.level-added" in db.session.scalars(select(Event.verb)).all()
    say(acme, "lee", run, now)
    assert told.outcomes == [(1, Outcome.APPROVED)]


def test_whoever_is_passed_on_the_way_up_approves_too(
    acme: Office, run: ApprovalRun, told: Told, now: datetime
) -> None:
    set_limit(acme, "sam", None)
    for name in ("kim", "lee"):
        set_limit(acme, name, "10")

    say(acme, "kim", run, now)
    say(acme, "lee", run, now)

    assert (waiting(run), told.outcomes) == (["Sam"], [])
    say(acme, "sam", run, now)
    assert told.outcomes == [(1, Outcome.APPROVED)]


def test_where_nobody_may_sign_the_site_administrator_is_shown_and_names_somebody(
    acme: Office, run: ApprovalRun, told: Told, now: datetime, business_rows: Rows
) -> None:
    for name in ("kim", "lee", "sam"):
        set_limit(acme, name, "10")
    say(acme, "kim", run, now)
    assert (waiting(run), told.outcomes) == ([], [])
    loaded = queries.load_run(run.id)
    (vacancy,) = find_vacancies(loaded, load_people(acme.account_id))
    assert vacancy.needs_signature
    acme.hire("noa", "approver", limit="5999.99")
    before = business_rows()

    with pytest.raises(NobodyLeftError):
        reassign_step(acme.actor("sam"), run.id, vacancy.step.id, "", now)
    with pytest.raises(CannotSignError, match=r"6,000\.00 EUR"):
        reassign_step(acme.actor("sam"), run.id, vacancy.step.id, acme.email("noa"), now)
    assert business_rows() == before

    set_limit(acme, "noa", "6000")
    reassign_step(acme.actor("sam"), run.id, vacancy.step.id, acme.email("noa"), now)
    assert waiting(run) == ["Noa"]
    say(acme, "noa", run, now)
    assert told.outcomes == [(1, Outcome.APPROVED)]


def test_the_page_says_that_a_signature_is_missing(
    acme: Office, run: ApprovalRun, now: datetime, sign_in: Callable[..., PortalClient]
) -> None:
    for name in ("kim", "lee", "sam"):
        set_limit(acme, name, "10")
    say(acme, "kim", run, now)

    page = sign_in(acme.email("sam")).get(f"/approvals/{run.id}").text

    assert "nobody of them may sign for the total" in page


def test_a_signer_who_leaves_after_the_other_one_s_limit_was_lowered_is_a_vacancy(
    acme: Office, now: datetime
) -> None:
    acme.set_policy(now, always(10, by("kim lee", quorum="any")), signing_limits="required")
    run = start_run(acme.actor("mina"), acme.subject(), now)
    set_limit(acme, "kim", "10")
    say(acme, "kim", run, now)
    assert waiting(run) == ["Lee"]

    with transaction():
        lee = acme.membership("lee").id
        db.session.execute(update(Membership).where(Membership.id == lee).values(status="ended"))

    assert find_vacancies(queries.load_run(run.id), load_people(acme.account_id))


def test_a_limit_put_right_asks_the_same_person_once_more(
    acme: Office, run: ApprovalRun, told: Told, now: datetime
) -> None:
    for name in ("kim", "lee", "sam"):
        set_limit(acme, name, "10")
    say(acme, "kim", run, now)
    assert waiting(run) == []
    set_limit(acme, "kim", None)
    vacancy = find_vacancies(queries.load_run(run.id), load_people(acme.account_id))[0]

    reassign_step(acme.actor("sam"), run.id, vacancy.step.id, "", now)
    assert waiting(run) == ["Kim"]
    step = queries.load_run(run.id).steps[-1].id
    kim = acme.actor("kim")
    decide(kim, run.id, Answer.APPROVE, "", run.content_hash, now, step_id=step)

    assert told.outcomes == [(1, Outcome.APPROVED)]
