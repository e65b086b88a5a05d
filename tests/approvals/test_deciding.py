"""Deciding: who, when, once, about exactly the content that was seen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, func, select, update

from portal.accounts.models import Membership, MembershipRole, Person
from portal.approvals import queries
from portal.approvals.actions import (
    CommentMissingError,
    CommentTooLongError,
    DeadEndError,
    NotNamedError,
    NotYourTurnError,
    OutdatedRevisionError,
    OwnRequestError,
    RightsGoneError,
    RunEndedError,
    RunExpiredError,
    decide,
    decide_many,
    expire_run,
    start_run,
    withdraw_run,
)
from portal.approvals.models import ApprovalRun, Decision, StepApprover
from portal.approvals.queries import RunNotFoundError
from portal.approvals.rules import Answer, Outcome, RunState
from portal.db import db, transaction
from portal.errors import NotAllowedError
from portal.events.models import Event
from portal.messages.models import Message
from tests.approvals.office import Office, Told, always, by, open_office

Rows = Callable[[], dict[str, tuple[int, str]]]
OK = Answer.APPROVE


@pytest.fixture
def run(acme: Office, now: datetime) -> ApprovalRun:
    return start_run(acme.actor("mina"), acme.subject(), now)


def say(  # noqa: PLR0913, PLR0917 - as many as a decision has
    acme: Office,
    name: str,
    run: ApprovalRun,
    now: datetime,
    answer: Answer = OK,
    comment: str = "",
    step_id: int | None = None,
) -> Decision:
    return decide(
        acme.actor(name), run.id, answer, comment, run.content_hash, now, step_id
    ).decision


def waiting(run: ApprovalRun) -> list[str]:
    return list(
        db.session.scalars(
            select(Person.name)
            .join(StepApprover, StepApprover.person_id == Person.id)
            .where(StepApprover.run_id == run.id, StepApprover.is_waiting)
            .order_by(Person.name)
        )
    )


def verbs() -> list[str]:
    return list(
        db.session.scalars(
            select(Event.verb).where(Event.kind == "approval").order_by(Event.sequence)
        )
    )


def test_levels_are_asked_one_after_the_other_and_the_last_approval_ends_the_run(
    acme: Office, run: ApprovalRun, told: Told, now: datetime
) -> None:
    assert waiting(run) == ["Kim"]
    say(acme, "kim", run, now)
    assert (waiting(run), told.outcomes) == (["Lee"], [])

    later = now + timedelta(hours=1)
    decide(acme.actor("lee"), run.id, OK, "fine", run.content_hash, later)

    assert waiting(run) == []
    assert told.outcomes == [(1, Outcome.APPROVED)]
    proof = queries.get_proof("quote", 1)
    assert proof == queries.Proof(run.content_hash, run.id, later)
    assert verbs() == [
        "approval.requested",
        "approval.approved",
        "approval.requested",
        "approval.approved",
        "approval.finished",
    ]


def test_until_the_last_approval_there_is_no_proof(
    acme: Office, run: ApprovalRun, now: datetime
) -> None:
    say(acme, "kim", run, now)

    assert queries.get_proof("quote", 1) is None


@pytest.mark.parametrize(
    ("answer", "outcome", "state"),
    [
        (Answer.REJECT, Outcome.REJECTED, RunState.REJECTED),
        (Answer.REQUEST_CHANGES, Outcome.CHANGES_REQUESTED, RunState.CHANGES_REQUESTED),
    ],
)
def test_one_refusal_ends_the_run(  # noqa: PLR0913, PLR0917 - the cast and the case
    acme: Office,
    run: ApprovalRun,
    told: Told,
    now: datetime,
    answer: Answer,
    outcome: Outcome,
    state: RunState,
) -> None:
    say(acme, "kim", run, now, answer, "too many")

    assert told.outcomes == [(1, outcome)]
    assert queries.load_run(run.id).state == state
    assert waiting(run) == []
    assert queries.get_proof("quote", 1) is None
    with pytest.raises(RunEndedError, match="is over"):
        say(acme, "lee", run, now)


def test_a_second_click_repeats_the_first_answer_whatever_it_says(
    acme: Office, run: ApprovalRun, now: datetime, business_rows: Rows
) -> None:
    first = say(acme, "kim", run, now)
    before = business_rows()

    again = decide(acme.actor("kim"), run.id, Answer.REJECT, "no", run.content_hash, now)

    assert again.is_repeated
    assert (again.decision.id, again.decision.answer) == (first.id, "approve")
    assert business_rows() == before


def test_a_second_click_after_the_end_repeats_the_first_answer_too(
    acme: Office, run: ApprovalRun, told: Told, now: datetime
) -> None:
    say(acme, "kim", run, now)
    say(acme, "lee", run, now)

    assert say(acme, "lee", run, now).answer == "approve"
    assert told.outcomes == [(1, Outcome.APPROVED)]


def test_whoever_is_named_later_waits_until_the_level_opens(
    acme: Office, run: ApprovalRun, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    with pytest.raises(NotYourTurnError, match="does not wait for you"):
        say(acme, "lee", run, now)

    assert business_rows() == before


def test_nobody_decides_whom_the_run_does_not_name(
    acme: Office, run: ApprovalRun, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    with pytest.raises(NotNamedError, match="No step of this approval names you"):
        say(acme, "sam", run, now)
    with pytest.raises(RunNotFoundError):
        say(acme, "mina", run, now)

    assert business_rows() == before


def test_another_accounts_run_does_not_exist(
    acme: Office, run: ApprovalRun, now: datetime, business_rows: Rows
) -> None:
    other = open_office("OTHER")
    other.hire("eve", "approver", "site-administrator")
    before = business_rows()

    with pytest.raises(RunNotFoundError):
        say(other, "eve", run, now)

    assert queries.find_inbox(other.actor("eve"), queries.Box.ALL) == ([], 0)
    assert acme.account_id != other.account_id
    assert business_rows() == before


def test_a_requester_who_becomes_an_approver_still_cannot_decide(
    acme: Office, run: ApprovalRun, now: datetime
) -> None:
    """Even where a row names them, by whatever mistake."""
    mina = acme.membership("mina")
    with transaction():
        db.session.add(
            MembershipRole(membership_id=mina.id, account_id=acme.account_id, role="approver")
        )
        db.session.execute(
            update(StepApprover)
            .where(StepApprover.run_id == run.id, StepApprover.is_waiting)
            .values(membership_id=mina.id, person_id=mina.person_id)
        )

    with pytest.raises(OwnRequestError, match="somebody else has to decide"):
        say(acme, "mina", run, now)


def test_a_person_who_left_cannot_decide_with_rights_loaded_earlier(
    acme: Office, run: ApprovalRun, now: datetime
) -> None:
    kim = acme.actor("kim")
    with transaction():
        db.session.execute(
            update(Membership).where(Membership.id == kim.membership_id).values(status="suspended")
        )

    with pytest.raises(NotAllowedError):
        decide(kim, run.id, OK, "", run.content_hash, now)

    assert queries.find_decisions(run.id) == []


def test_whoever_lost_the_role_they_were_named_for_cannot_decide(
    acme: Office, now: datetime
) -> None:
    acme.set_policy(
        now, always(10, {"level": 1, "approvers": {"role": "approver"}, "quorum": "any"})
    )
    run = start_run(acme.actor("mina"), acme.subject(), now)
    kim = acme.membership("kim")
    with transaction():
        db.session.execute(delete(MembershipRole).where(MembershipRole.membership_id == kim.id))
        db.session.add(
            MembershipRole(membership_id=kim.id, account_id=acme.account_id, role="viewer")
        )

    with pytest.raises(RightsGoneError, match="do not hold that role any more"):
        say(acme, "kim", run, now)

    assert say(acme, "lee", run, now).answer == "approve"


def test_a_decision_about_other_content_is_refused(
    acme: Office, run: ApprovalRun, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    with pytest.raises(OutdatedRevisionError, match="Q-000001 changed"):
        decide(acme.actor("kim"), run.id, OK, "", "f" * 64, now)

    assert business_rows() == before


def test_approving_after_an_edit_is_refused_and_the_new_revision_is_untouched(
    acme: Office, run: ApprovalRun, now: datetime
) -> None:
    withdraw_run("quote", 1, now, acme.actor("mina"))
    second = start_run(acme.actor("mina"), acme.subject(key=2, revision=2), now)

    with pytest.raises(OutdatedRevisionError, match="revision 1 is not current"):
        say(acme, "kim", run, now)

    assert queries.find_decisions(second.id) == []
    assert waiting(second) == ["Kim"]


def test_a_withdrawn_run_waits_for_nobody_and_cannot_be_decided(
    acme: Office, run: ApprovalRun, told: Told, now: datetime
) -> None:
    withdraw_run("quote", 1, now, acme.actor("mina"))

    assert queries.count_waiting(acme.actor("kim")) == 0
    with pytest.raises(RunEndedError, match="withdrawn"):
        say(acme, "kim", run, now)
    assert withdraw_run("quote", 1, now) is None
    assert told.outcomes == []


def test_from_the_end_of_its_validity_on_nobody_decides(acme: Office, now: datetime) -> None:
    end = now + timedelta(days=1)
    run = start_run(acme.actor("mina"), acme.subject(expires_at=end), now)

    with pytest.raises(RunExpiredError, match="expired on"):
        say(acme, "kim", run, end)

    assert expire_run("quote", 1, end) is not None
    assert queries.load_run(run.id).state == RunState.EXPIRED


@pytest.mark.parametrize("answer", [Answer.REJECT, Answer.REQUEST_CHANGES])
def test_a_refusal_needs_a_reason(
    acme: Office, run: ApprovalRun, now: datetime, answer: Answer, business_rows: Rows
) -> None:
    before = business_rows()

    with pytest.raises(CommentMissingError, match="needs to know why"):
        say(acme, "kim", run, now, answer, "  ")
    with pytest.raises(CommentTooLongError, match="at most 2000"):
        say(acme, "kim", run, now, answer, "x" * 2001)

    assert business_rows() == before


def test_a_number_needs_that_many_different_people(acme: Office, told: Told, now: datetime) -> None:
    acme.set_policy(now, always(10, by("kim lee sam", quorum=2)))
    run = start_run(acme.actor("mina"), acme.subject(), now)

    say(acme, "kim", run, now)
    say(acme, "kim", run, now)
    assert (waiting(run), told.outcomes) == (["Lee", "Sam"], [])
    say(acme, "sam", run, now)

    assert told.outcomes == [(1, Outcome.APPROVED)]


def test_an_approval_counts_in_later_steps_that_name_the_person(
    acme: Office, told: Told, now: datetime
) -> None:
    acme.set_policy(now, always(10, by("kim")), always(20, by("kim lee", level=2, quorum="any")))
    run = start_run(acme.actor("mina"), acme.subject(), now)

    say(acme, "kim", run, now)

    assert told.outcomes == [(1, Outcome.APPROVED)]


def test_a_distinct_rule_asks_the_same_person_again_and_a_double_click_is_not_that(
    acme: Office, told: Told, now: datetime
) -> None:
    acme.set_policy(now, always(10, by("kim")), always(20, by("kim", level=2), distinct=True))
    run = start_run(acme.actor("mina"), acme.subject(), now)
    first, second = queries.load_run(run.id).steps

    say(acme, "kim", run, now, step_id=first.id)
    say(acme, "kim", run, now, step_id=first.id)
    assert (waiting(run), told.outcomes) == (["Kim"], [])
    say(acme, "kim", run, now, step_id=second.id)

    assert told.outcomes == [(1, Outcome.APPROVED)]


def test_a_limit_lowered_after_the_submission_does_not_sign(
    acme: Office, told: Told, now: datetime
) -> None:
    acme.set_policy(now, always(10, by("kim lee", quorum="any")), signing_limits="required")
    run = start_run(acme.actor("mina"), acme.subject(), now)
    with transaction():
        db.session.execute(
            update(Membership)
            .where(Membership.id == acme.membership("kim").id)
            .values(signs_unlimited=False, signing_limit=Decimal("5999.99"))
        )

    say(acme, "kim", run, now)
    assert (waiting(run), told.outcomes) == (["Lee"], [])
    say(acme, "lee", run, now)

    assert told.outcomes == [(1, Outcome.APPROVED)]


def test_a_policy_of_which_no_rule_holds_approves_at_once_and_the_event_says_so(
    acme: Office, told: Told, now: datetime
) -> None:
    acme.set_policy(now)

    run = start_run(acme.actor("mina"), acme.subject(), now)

    assert run.state == RunState.APPROVED
    assert queries.get_proof("quote", 1) is not None
    assert verbs() == ["approval.not-needed"]
    assert told.outcomes == []


def test_a_dead_end_is_refused_in_words_and_writes_nothing(
    acme: Office, now: datetime, business_rows: Rows
) -> None:
    acme.set_policy(now, always(10, by("kim lee", quorum=3)))
    before = business_rows()

    with pytest.raises(DeadEndError, match="3 different people are needed, 2 can approve"):
        start_run(acme.actor("mina"), acme.subject(), now)

    assert business_rows() == before


def test_a_run_keeps_the_policy_that_it_started_under(
    acme: Office, run: ApprovalRun, told: Told, now: datetime
) -> None:
    acme.set_policy(now + timedelta(minutes=1), always(10, by("sam")))

    say(acme, "kim", run, now)
    say(acme, "lee", run, now)

    assert told.outcomes == [(1, Outcome.APPROVED)]


def test_each_approver_is_mailed_once_when_their_step_opens(
    acme: Office, run: ApprovalRun, now: datetime
) -> None:
    def mails() -> list[int | None]:
        return list(db.session.scalars(select(Message.membership_id).order_by(Message.id)))

    assert mails() == [acme.membership("kim").id]
    say(acme, "kim", run, now)
    assert mails() == [acme.membership("kim").id, acme.membership("lee").id]


def test_the_inbox_shows_what_waits_the_oldest_first(acme: Office, now: datetime) -> None:
    second = start_run(acme.actor("mina"), acme.subject(key=2), now + timedelta(hours=1))
    first = start_run(acme.actor("mina"), acme.subject(key=1), now)
    kim, lee = acme.actor("kim"), acme.actor("lee")

    rows, total = queries.find_inbox(kim, queries.Box.WAITING)

    assert [(row.run.id, row.requester, row.since) for row in rows] == [
        (first.id, "Mina", now),
        (second.id, "Mina", now + timedelta(hours=1)),
    ]
    assert (total, queries.count_waiting(kim), queries.count_waiting(lee)) == (2, 2, 0)
    assert queries.find_inbox(lee, queries.Box.WAITING) == ([], 0)
    assert queries.find_inbox(lee, queries.Box.ALL)[1] == 2
    say(acme, "kim", first, now)
    assert [row.run.id for row in queries.find_inbox(kim, queries.Box.DECIDED)[0]] == [first.id]


def test_a_run_lets_those_whom_it_names_read_its_subject_and_nobody_else(
    acme: Office, run: ApprovalRun
) -> None:
    def named(name: str) -> list[int]:
        return list(db.session.scalars(queries.named_subject_ids(acme.actor(name), "quote")))

    assert (named("kim"), named("lee"), named("sam"), named("mina")) == ([1], [1], [], [])
    assert queries.find_run("quote", 1) is not None
    assert run.kind == "quote"


def test_in_bulk_each_is_decided_for_itself(acme: Office, now: datetime) -> None:
    runs = [start_run(acme.actor("mina"), acme.subject(key=key), now) for key in (1, 2)]
    chosen = [(runs[0].id, runs[0].content_hash), (runs[1].id, "f" * 64)]

    done, refused = decide_many(acme.actor("kim"), chosen, "", now)

    assert [item.run.id for item in done] == [runs[0].id]
    assert [(key, type(error)) for key, error in refused] == [(runs[1].id, OutdatedRevisionError)]
    assert db.session.scalar(select(func.count()).select_from(Decision)) == 1


def test_several_requesters_are_all_kept_out(acme: Office, now: datetime) -> None:
    kim = acme.actor("kim")
    base = acme.subject()
    both = base.requester_person_ids | {kim.person_id or 0}
    subject = replace(
        base,
        requester_person_ids=both,
        facts=replace(base.facts, requester_person_ids=both),
    )

    run = start_run(acme.actor("mina"), subject, now)

    assert waiting(run) == ["Lee"]
