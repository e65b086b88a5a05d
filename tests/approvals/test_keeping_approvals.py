"""Approvals that stand for the next revision: only of steps whose inputs are still the same."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from portal.accounts.models import Person
from portal.approvals import queries
from portal.approvals.actions import decide, start_run, withdraw_run
from portal.approvals.facts import FactLine
from portal.approvals.models import ApprovalRun, StepApprover
from portal.approvals.rules import Answer, Outcome
from portal.db import db
from tests.approvals.office import Office, Told, always, by
from tests.approvals.world import rule


def say(
    acme: Office,
    name: str,
    run: ApprovalRun,
    now: datetime,
    answer: Answer = Answer.APPROVE,
    comment: str = "",
) -> None:
    decide(acme.actor(name), run.id, answer, comment, run.content_hash, now)


def waiting(run: ApprovalRun) -> list[str]:
    return list(
        db.session.scalars(
            select(Person.name)
            .join(StepApprover, StepApprover.person_id == Person.id)
            .where(StepApprover.run_id == run.id, StepApprover.is_waiting)
            .order_by(Person.name)
        )
    )


def test_a_new_revision_keeps_approvals_of_unchanged_steps_where_the_policy_allows(
    acme: Office, told: Told, now: datetime
) -> None:
    rules = (always(10, by("kim")), always(20, by("lee", level=2)))
    acme.set_policy(now, *rules, keep_unchanged_approvals=True)
    first = start_run(acme.actor("mina"), acme.subject(), now)
    say(acme, "kim", first, now)
    say(acme, "lee", first, now, Answer.REQUEST_CHANGES, "fewer")

    second = start_run(acme.actor("mina"), acme.subject(key=2, revision=2), now)

    assert waiting(second) == ["Lee"]
    assert [item.kept_from_id is not None for item in queries.find_decisions(second.id)] == [True]
    say(acme, "lee", second, now)
    assert told.outcomes[-1] == (2, Outcome.APPROVED)


def test_a_step_that_no_condition_brought_is_asked_anew_when_the_total_is_another(
    acme: Office, told: Told, now: datetime
) -> None:
    acme.set_policy(now, always(10, by("kim")), keep_unchanged_approvals=True)
    first = start_run(acme.actor("mina"), acme.subject(), now)
    say(acme, "kim", first, now)
    assert told.outcomes == [(1, Outcome.APPROVED)]

    second = start_run(acme.actor("mina"), acme.subject(key=2, revision=2, total="600000.00"), now)

    assert waiting(second) == ["Kim"]
    assert queries.find_decisions(second.id) == []


def test_a_step_about_some_lines_is_kept_as_long_as_those_are_the_same(
    acme: Office, now: datetime
) -> None:
    off_list = rule(10, {"off_contract": True}, by("kim"))
    acme.set_policy(now, off_list, always(20, by("lee", level=2)), keep_unchanged_approvals=True)

    def ask(key: int, quantity: str, further: str) -> ApprovalRun:
        base = acme.subject(key=key, revision=key)
        lines = (
            replace(base.lines[0], quantity=quantity),
            replace(base.lines[0], sku="MS-1", quantity=further),
        )
        facts = (
            FactLine(sku="LT-1", off_contract=True, unit_price=Decimal(1)),
            FactLine(sku="MS-1", unit_price=Decimal(1)),
        )
        changed = replace(base, lines=lines, facts=replace(base.facts, lines=facts))
        return start_run(acme.actor("mina"), changed, now)

    first = ask(1, "8 EA", "1 EA")
    say(acme, "kim", first, now)
    say(acme, "lee", first, now, Answer.REQUEST_CHANGES, "more mice")

    second = ask(2, "8 EA", "2 EA")
    assert waiting(second) == ["Lee"]
    say(acme, "lee", second, now, Answer.REQUEST_CHANGES, "more laptops")

    assert waiting(ask(3, "9 EA", "2 EA")) == ["Kim"]


def test_without_that_permission_every_revision_asks_anew(acme: Office, now: datetime) -> None:
    acme.set_policy(now, always(10, by("kim")))
    run = start_run(acme.actor("mina"), acme.subject(), now)
    say(acme, "kim", run, now)
    withdraw_run("quote", 1, now)

    second = start_run(acme.actor("mina"), acme.subject(key=2, revision=2), now)

    assert waiting(second) == ["Kim"]
