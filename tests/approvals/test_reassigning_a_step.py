"""A step whose people left is reassigned under the same rules, and only then."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select, update

from portal.accounts.models import Membership, Person
from portal.approvals import queries
from portal.approvals.actions import decide, start_run
from portal.approvals.models import ApprovalRun, StepApprover
from portal.approvals.queries import RunNotFoundError
from portal.approvals.reassigning import (
    CannotApproveError,
    NobodyLeftError,
    StepNotLeftError,
    reassign_step,
)
from portal.approvals.rules import Answer, Outcome
from portal.db import db, transaction
from portal.errors import NotAllowedError
from portal.events.models import Event
from tests.approvals.office import Office, Told, always, by
from tests.stage import PortalClient

Rows = Callable[[], dict[str, tuple[int, str]]]


@pytest.fixture
def run(acme: Office, now: datetime) -> ApprovalRun:
    return start_run(acme.actor("mina"), acme.subject(), now)


def leave(acme: Office, name: str) -> None:
    with transaction():
        db.session.execute(
            update(Membership)
            .where(Membership.id == acme.membership(name).id)
            .values(status="ended")
        )


def waiting(run: ApprovalRun) -> list[str]:
    return list(
        db.session.scalars(
            select(Person.name)
            .join(StepApprover, StepApprover.person_id == Person.id)
            .where(StepApprover.run_id == run.id, StepApprover.is_waiting)
            .order_by(Person.name)
        )
    )


def first_step(run: ApprovalRun) -> int:
    return queries.load_run(run.id).steps[0].id


def test_the_site_administrator_names_somebody_who_then_approves(
    acme: Office, run: ApprovalRun, told: Told, now: datetime
) -> None:
    acme.hire("noa", "approver")
    leave(acme, "kim")

    reassign_step(acme.actor("sam"), run.id, first_step(run), acme.email("noa"), now)

    assert waiting(run) == ["Noa"]
    for name in ("noa", "lee"):
        decide(acme.actor(name), run.id, Answer.APPROVE, "", run.content_hash, now)
    assert told.outcomes == [(1, Outcome.APPROVED)]
    assert "approval.step-reassigned" in db.session.scalars(select(Event.verb)).all()


def test_without_a_name_the_manager_of_the_one_who_left_answers(
    acme: Office, run: ApprovalRun, now: datetime
) -> None:
    leave(acme, "kim")

    reassign_step(acme.actor("sam"), run.id, first_step(run), "", now)

    assert waiting(run) == ["Lee"]


def test_where_no_manager_is_left_the_site_administrators_answer(
    acme: Office, now: datetime
) -> None:
    acme.set_policy(now, always(10, by("lee")))
    run = start_run(acme.actor("mina"), acme.subject(), now)
    leave(acme, "lee")

    reassign_step(acme.actor("sam"), run.id, first_step(run), "", now)

    assert waiting(run) == ["Sam"]


def test_a_step_that_can_be_finished_is_not_reassigned(
    acme: Office, run: ApprovalRun, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    with pytest.raises(StepNotLeftError, match="can still finish it"):
        reassign_step(acme.actor("sam"), run.id, first_step(run), acme.email("lee"), now)

    assert business_rows() == before


@pytest.mark.parametrize("name", ["mina", "kim", "nobody"])
def test_a_requester_an_inactive_or_an_unknown_person_is_not_named(
    acme: Office, run: ApprovalRun, now: datetime, name: str, business_rows: Rows
) -> None:
    leave(acme, "kim")
    before = business_rows()

    with pytest.raises(CannotApproveError, match="can’t be named"):
        reassign_step(acme.actor("sam"), run.id, first_step(run), acme.email(name), now)

    assert business_rows() == before


def test_where_nobody_is_in_charge_a_name_is_asked_for(acme: Office, now: datetime) -> None:
    acme.set_policy(now, always(10, by("sam")))
    run = start_run(acme.actor("mina"), acme.subject(), now)
    sam = acme.actor("sam")
    leave(acme, "sam")

    with pytest.raises(NobodyLeftError, match="nobody in charge above"):
        reassign_step(sam, run.id, first_step(run), "", now)


def test_only_who_may_save_the_policy_reassigns(
    acme: Office, run: ApprovalRun, now: datetime, business_rows: Rows
) -> None:
    leave(acme, "kim")
    before = business_rows()

    with pytest.raises(NotAllowedError):
        reassign_step(acme.actor("lee"), run.id, first_step(run), "", now)
    with pytest.raises(RunNotFoundError):
        reassign_step(acme.actor("sam"), run.id + 1, first_step(run), "", now)

    assert business_rows() == before


def test_the_page_offers_it_to_the_site_administrator(
    acme: Office, run: ApprovalRun, sign_in: Callable[..., PortalClient]
) -> None:
    sam = sign_in(acme.email("sam"))
    assert "People left" not in sam.get(f"/approvals/{run.id}").text
    leave(acme, "kim")
    step = first_step(run)

    page = sam.get(f"/approvals/{run.id}").text
    refused = sam.post(
        f"/approvals/{run.id}/reassign", data={"step": step, "email": acme.email("mina")}
    )
    done = sam.post(f"/approvals/{run.id}/reassign", data={"step": step, "email": ""})

    assert "People left" in page
    assert refused.status_code == 422
    assert "can’t be named" in refused.text
    assert (done.status_code, done.location) == (303, f"/approvals/{run.id}")
    assert waiting(run) == ["Lee"]
