"""What is promised, by priority and tier: the defaults, what was saved, and its page."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.service.clock.actions import (
    TargetsChangedError,
    find_rows,
    fingerprint,
    forget_targets,
    save_targets,
)
from portal.service.clock.queries import Measured, load_targets, read_all, read_clocks
from portal.service.clock.rules import GaugeState, Signal, Stamp, Targets
from portal.service.clock.targets import DEFAULTS, PRIORITIES, TargetBook, TargetOrderError
from tests.stage import Counted, PortalClient

HOUR = timedelta(hours=1)
Rows = Callable[[], dict[str, tuple[int, str]]]


@pytest.mark.any_database
def test_the_tier_speaks_before_all_accounts_and_those_before_the_default() -> None:
    of_tier, of_all = Targets(HOUR, HOUR), Targets(2 * HOUR, None)
    book = TargetBook({("gold", "high"): of_tier, ("", "high"): of_all})

    assert book.targets_for("high", "gold") is of_tier
    assert book.targets_for("high", "silver") is of_all
    assert book.targets_for("high", None) is of_all
    assert book.targets_for("low", "gold") is DEFAULTS["low"]


@pytest.mark.any_database
def test_by_default_the_team_is_warned_after_twelve_hours_and_the_manager_told_after_24() -> None:
    assert (DEFAULTS["normal"].warn_after, DEFAULTS["normal"].escalate_after) == (
        12 * HOUR,
        24 * HOUR,
    )
    for targets in DEFAULTS.values():
        assert targets.first_answer is not None
        assert targets.warn_after < targets.first_answer <= 24 * HOUR


def test_saved_promises_hold_at_once(cast: Cast, now: datetime) -> None:
    promised = {**DEFAULTS, "normal": Targets(HOUR, None, HOUR / 2, HOUR)}
    save_targets(cast.supplier.service_agent, "silver", promised, seen=fingerprint({}), now=now)

    asked = Measured(
        key=1,
        stamps=[Stamp(now - timedelta(days=3), Signal.OPENED)],
        priority="normal",
        tier="silver",
    )
    reading = read_all([asked], now)[1]

    assert reading.clock.first_answer.state is GaugeState.BROKEN
    assert reading.clock.resolution.state is GaugeState.NONE
    assert read_all([replace(asked, tier="bronze")], now)[1].targets == DEFAULTS["normal"]


def test_clocks_of_many_cases_cost_two_statements(
    cast: Cast, now: datetime, count_statements: Callable[[], AbstractContextManager[Counted]]
) -> None:
    assert cast.acme.account_id
    stamps = [Stamp(now - timedelta(days=1), Signal.OPENED)]
    items = [
        Measured(key=key, stamps=stamps, priority="low", tier="gold", calendar_code=code)
        for key, code in enumerate(["EUROPE", "KOREA", None] * 50)
    ]

    with count_statements() as counted:
        clocks = read_clocks(items, now)

    assert (len(clocks), counted.total) == (150, 2)


def test_the_manager_is_not_told_before_the_team(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()
    wrong = {**DEFAULTS, "low": Targets(None, None, 5 * HOUR, 4 * HOUR)}

    with pytest.raises(TargetOrderError, match="enter 5 hours or more"):
        save_targets(cast.supplier.service_agent, "silver", wrong, seen=fingerprint({}), now=now)

    assert business_rows() == before


def test_the_second_of_two_who_save_at_once_is_told(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    agent, seen = cast.supplier.service_agent, fingerprint(find_rows("gold"))
    faster = {**DEFAULTS, "low": Targets(HOUR, HOUR, HOUR, HOUR)}
    save_targets(agent, "gold", faster, seen=seen, now=now)
    before = business_rows()

    with pytest.raises(TargetsChangedError, match="Somebody else saved"):
        save_targets(agent, "gold", DEFAULTS, seen=seen, now=now)

    assert business_rows() == before


def test_taken_back_promises_are_those_of_all_accounts_again(cast: Cast, now: datetime) -> None:
    forget_targets(cast.supplier.service_agent, "gold", now=now)

    assert find_rows("gold") == {}
    assert load_targets().targets_for("urgent", "gold") == DEFAULTS["urgent"]


def test_whoever_may_not_set_the_service_up_promises_nothing(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    with pytest.raises(NotAllowedError):
        save_targets(cast.supplier.order_desk, "", DEFAULTS, seen=fingerprint({}), now=now)

    assert business_rows() == before


def form(**changes: str) -> dict[str, str]:
    filled: dict[str, str] = {}
    for priority in PRIORITIES:
        filled |= {
            f"{priority}_first_answer": "8",
            f"{priority}_resolution": "",
            f"{priority}_warn_after": "1.5",
            f"{priority}_escalate_after": "6",
        }
    return filled | changes


def test_promises_are_set_on_their_page(cast: Cast, sign_in: Callable[[str], PortalClient]) -> None:
    assert cast.acme.account_id
    desk = sign_in("service@northwind.example")
    page = desk.get("/desk/service/targets?tier=silver").get_data(as_text=True)
    assert "Nothing is saved for tier silver" in page

    saved = desk.post("/desk/service/targets", data=form(tier="silver", seen=fingerprint({})))

    assert saved.headers["Location"] == "/desk/service/targets?tier=silver"
    assert load_targets().targets_for("low", "silver") == Targets(
        8 * HOUR, None, 1.5 * HOUR, 6 * HOUR
    )
    late = desk.post("/desk/service/targets", data=form(tier="silver", seen=fingerprint({})))
    assert late.status_code == 409


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"low_warn_after": "soon"}, "“soon” is not a number"),
        ({"low_warn_after": ""}, "Enter a number"),
        ({"low_first_answer": "0"}, "Enter 0.05 or more"),
        ({"low_warn_after": "7"}, "enter 7 hours or more"),
    ],
)
def test_what_can_not_be_promised_is_said_and_nothing_typed_is_lost(
    cast: Cast,
    sign_in: Callable[[str], PortalClient],
    business_rows: Rows,
    changes: dict[str, str],
    said: str,
) -> None:
    assert cast.acme.account_id
    desk = sign_in("service@northwind.example")
    before = business_rows()

    answer = desk.post(
        "/desk/service/targets", data=form(tier="silver", seen=fingerprint({})) | changes
    )

    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    assert 'value="1.5"' in answer.get_data(as_text=True)
    assert business_rows() == before


def test_promises_are_exported(cast: Cast, sign_in: Callable[[str], PortalClient]) -> None:
    assert cast.acme.account_id
    desk = sign_in("service@northwind.example")

    lines = desk.get("/desk/service/targets?format=csv").get_data(as_text=True).splitlines()

    assert lines[0].endswith("warn_after_hours,escalate_after_hours,saved")
    assert "gold,urgent,2,8,1,2,yes" in lines
    assert "silver,urgent,4,16,2,4,no" in lines
    assert desk.get("/desk/service/targets?format=xlsx").data[:2] == b"PK"
    assert sign_in("desk@northwind.example").get("/desk/service/targets").status_code == 403
