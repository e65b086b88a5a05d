"""What agents do among themselves: take, assign, hand over, correct, merge, and the set-up."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from portal.db import db
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.policy import Actor
from portal.service.assets.models import Asset
from portal.service.cases import queries, teams
from portal.service.cases.actions import reply
from portal.service.cases.ending import close_case
from portal.service.cases.models import Case
from portal.service.cases.queries import get_case
from portal.service.cases.references import UnknownReferenceError
from portal.service.cases.rules import CaseKind, CaseStatus, IllegalMoveError, Priority
from portal.service.cases.setup import (
    NEW,
    CodeTakenError,
    NumberTakenError,
    OutdatedError,
    RuleFacts,
    TeamFacts,
    TeamInUseError,
    UnknownPlaceError,
    save_rule,
    save_team,
)
from portal.service.cases.working import (
    ChangedMeanwhileError,
    Facts,
    MergeError,
    NoComplaintError,
    NotAnAgentError,
    assign_case,
    change_case,
    follow_up,
    merge_case,
    take_case,
    transfer_case,
)
from tests.service.desk import BusinessRows, OpenCase


@pytest.fixture
def agent(cast: Cast) -> Actor:
    return cast.supplier.service_agent


def test_who_takes_a_case_works_on_it(agent: Actor, opened: OpenCase, now: datetime) -> None:
    case = take_case(agent, opened().number, now=now)

    assert (case.status, case.assignee_id) == (CaseStatus.OPEN, agent.membership_id)
    version = case.version
    assert take_case(agent, case.number, now=now).version == version, "twice is once"


def test_only_the_service_is_given_cases(
    agent: Actor, cast: Cast, opened: OpenCase, now: datetime, business_rows: BusinessRows
) -> None:
    number = opened().number
    before = business_rows()

    for nobody in (cast.acme.buyer.membership_id, cast.supplier.order_desk.membership_id, -1):
        with pytest.raises(NotAnAgentError):
            assign_case(agent, number, nobody, now=now)
    with pytest.raises(NotAllowedError):
        take_case(cast.acme.buyer, number, now=now)
    with pytest.raises(NotAllowedError):
        take_case(cast.supplier.auditor, number, now=now)

    assert business_rows() == before


def test_a_case_handed_over_has_no_agent_until_somebody_takes_it(
    agent: Actor, opened: OpenCase, now: datetime
) -> None:
    number = take_case(agent, opened().number, now=now).number

    case = transfer_case(agent, number, "ASIA", now=now)

    assert case.assignee_id is None
    assert get_case(agent, number).team is not None
    assert get_case(agent, number).team.code == "ASIA"  # type: ignore[union-attr]  # just said


def test_the_first_rule_that_matches_names_the_team_and_the_priority(
    cast: Cast, opened: OpenCase, agent: Actor, laptop: Asset
) -> None:
    def routed(case: Case) -> tuple[str, Priority]:
        found = get_case(agent, case.number)
        assert found.team is not None
        return found.team.code, found.priority

    assert routed(opened()) == ("CARE", Priority.NORMAL)
    assert routed(opened(kind=CaseKind.COMPLAINT)) == ("CARE", Priority.HIGH)
    assert routed(opened(kind=CaseKind.REPAIR)) == ("HARDWARE", Priority.NORMAL)
    assert routed(opened(about=laptop.service_tag)) == ("HARDWARE", Priority.NORMAL)
    assert routed(opened(cast.hanbit.buyer, kind=CaseKind.COMPLAINT)) == ("ASIA", Priority.NORMAL)


def test_an_asset_brings_its_product_and_only_its_own_people_may_name_it(
    cast: Cast, opened: OpenCase, laptop: Asset, agent: Actor
) -> None:
    case = get_case(agent, opened(asset_tag="nb-7781").number)

    assert (case.asset_id, case.product_id) == (laptop.id, laptop.product_id)
    for stranger in (cast.hanbit.buyer, cast.acme.research_buyer):
        with pytest.raises(UnknownReferenceError, match="NB-7781"):
            opened(stranger, about="NB-7781")


def test_a_change_made_on_an_old_page_is_not_saved(
    agent: Actor, cast: Cast, opened: OpenCase, now: datetime, business_rows: BusinessRows
) -> None:
    case = get_case(agent, opened().number)
    seen = case.version
    reply(cast.acme.buyer, case.number, "Urgent now!", now=now)
    before = business_rows()

    with pytest.raises(ChangedMeanwhileError, match="changed while you were working"):
        change_case(
            agent, case.number, seen, Facts(kind=CaseKind.REPAIR, priority=Priority.LOW), now=now
        )

    assert business_rows() == before


def test_kind_priority_and_reference_can_be_corrected(
    agent: Actor, opened: OpenCase, laptop: Asset, now: datetime
) -> None:
    case = get_case(agent, opened().number)

    facts = Facts(kind=CaseKind.REPAIR, priority=Priority.URGENT, about=laptop.service_tag)
    changed = change_case(agent, case.number, case.version, facts, now=now)

    assert (changed.kind, changed.priority) == (CaseKind.REPAIR, Priority.URGENT)
    assert changed.asset is not None
    assert changed.asset.service_tag == "NB-7781"


def test_the_messages_of_a_merged_case_are_read_where_it_went(
    agent: Actor, cast: Cast, merged: tuple[Case, Case]
) -> None:
    gone, target = merged
    whole = [get_case(agent, target.number), *queries.find_merged_into(agent, target)]

    assert gone.status is CaseStatus.MERGED
    assert gone.merged_into_id == target.id
    assert len(queries.find_messages(cast.acme.buyer, whole)) == 2


def test_a_merge_shows_nobody_what_they_could_not_read_before(
    agent: Actor, cast: Cast, opened: OpenCase, now: datetime
) -> None:
    secret, target = opened(cast.acme.research_buyer), opened(cast.acme.shopper)

    merge_case(agent, secret.number, target.number, now=now)

    assert [case.id for case in queries.find_merged_into(agent, target)] == [secret.id]
    assert queries.find_merged_into(cast.acme.shopper, target) == []


def test_cases_of_two_accounts_never_become_one(
    agent: Actor, cast: Cast, opened: OpenCase, now: datetime, business_rows: BusinessRows
) -> None:
    ours, theirs = opened(), opened(cast.hanbit.buyer)
    ended = opened()
    close_case(agent, ended.number, now=now)
    before = business_rows()

    for target in (theirs.number, ours.number, ended.number, "C-999999", "nonsense"):
        with pytest.raises(MergeError, match="same account"):
            merge_case(agent, ours.number, target, now=now)
    with pytest.raises(IllegalMoveError):
        merge_case(agent, ended.number, ours.number, now=now)

    assert business_rows() == before


def test_what_is_no_complaint_is_not_followed_up(
    agent: Actor, opened: OpenCase, now: datetime
) -> None:
    with pytest.raises(NoComplaintError):
        follow_up(agent, opened().number, now=now)


def test_the_set_up_takes_no_code_and_no_number_twice(
    agent: Actor, now: datetime, business_rows: BusinessRows
) -> None:
    before = business_rows()

    with pytest.raises(CodeTakenError, match="CARE"):
        save_team(agent, None, NEW, TeamFacts(code="CARE", name="Again"), now=now)
    with pytest.raises(NumberTakenError, match="10"):
        save_rule(agent, None, NEW, RuleFacts(number=10, team_code="CARE"), now=now)
    facts = RuleFacts(number=15, team_code="CARE", account_code="NOBODY")
    with pytest.raises(UnknownPlaceError, match="NOBODY"):
        save_rule(agent, None, NEW, facts, now=now)

    assert business_rows() == before


def test_a_team_saved_on_an_old_page_stays_as_somebody_else_left_it(
    agent: Actor, now: datetime
) -> None:
    seen = teams.get_team("CARE").version
    save_team(agent, "CARE", seen, TeamFacts(code="CARE", name="First"), now=now)

    with pytest.raises(OutdatedError):
        save_team(agent, "CARE", seen, TeamFacts(code="CARE", name="Second"), now=now)

    db.session.expire_all()
    assert teams.get_team("CARE").name == "First"


def test_a_team_with_rules_can_not_end(agent: Actor, now: datetime) -> None:
    seen = teams.get_team("CARE").version
    ended = TeamFacts(code="CARE", name="Customer care", is_active=False)

    with pytest.raises(TeamInUseError, match="CARE"):
        save_team(agent, "CARE", seen, ended, now=now)


def test_nobody_else_sets_the_service_up(
    cast: Cast, now: datetime, business_rows: BusinessRows
) -> None:
    before = business_rows()
    makers: list[Callable[[Actor], Any]] = [
        lambda actor: save_team(actor, None, NEW, TeamFacts(code="X", name="X"), now=now),
        lambda actor: save_rule(actor, None, NEW, RuleFacts(number=5, team_code="CARE"), now=now),
    ]
    for actor in (cast.acme.admin, cast.supplier.auditor, cast.supplier.order_desk):
        for make in makers:
            with pytest.raises(NotAllowedError):
                make(actor)

    assert business_rows() == before
