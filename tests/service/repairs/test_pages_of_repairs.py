"""Repairs on the pages: the case, the board, the spare parts, the packing slip."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import pytest

from portal.demo.cast import Cast
from portal.service.cases.queries import get_case
from portal.service.repairs.barcode import elements_of
from portal.service.repairs.documents import packing_slip_html
from portal.service.repairs.queries import get_current
from portal.service.repairs.rules import Move
from tests.service.repairs.conftest import Bring
from tests.stage import Counted, PortalClient

SignIn = Callable[..., PortalClient]
HERE = "ACME - IT"
pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def buyer(sign_in: SignIn) -> PortalClient:
    return sign_in("buyer@acme.example", membership=HERE)


@pytest.fixture
def agent(sign_in: SignIn) -> PortalClient:
    return sign_in("service@northwind.example")


def test_a_repair_goes_its_way_on_the_page_of_its_case(
    case_number: str, buyer: PortalClient, agent: PortalClient
) -> None:
    where = f"/service/cases/{case_number}/repair"
    form = {"way": "send-in", "address": "BER-IT", "fault": "Loose hinge", "key": "k"}
    assert "Announce the repair" in buyer.get(f"/service/cases/{case_number}").text
    assert buyer.post(where, data=form | {"fault": ""}).status_code == 422
    assert buyer.post(where, data=form).status_code == 303
    page = buyer.get(f"/service/cases/{case_number}").text
    assert "Packing slip R-" in page
    assert "Receive the unit" not in page
    assert buyer.post(f"{where}/step", data={"move": "receive"}).status_code == 403

    steps = (
        ({"move": "receive"}, 303),
        ({"move": "diagnose"}, 422),
        ({"move": "diagnose", "note": "The screw is broken."}, 303),
    )
    for version, (data, status) in zip((1, 2, 2), steps, strict=True):
        answer = agent.post(f"{where}/step", data=data | {"version": version})
        assert answer.status_code == status, answer.text
    added = agent.post(f"{where}/parts", data={"sku": "KB-0001", "quantity": "1", "key": "p"})
    assert added.status_code == 303
    page = buyer.get(f"/service/cases/{case_number}").text
    assert "The screw is broken." in page
    assert "The service answered" not in page, "nobody wrote"
    timeline = page[page.index("Timeline") :]
    assert "1 × KB-0001" in timeline[timeline.index("Part reserved") :], "the part is named"
    ready = agent.get(f"/service/cases/{case_number}").text
    assert "free of charge" in ready
    assert 'class="btn btn-primary" name="move" value="start"' in ready  # nothing to wait for
    assert 'class="btn btn-quiet" name="move" value="wait"' in ready


def test_a_finished_repair_is_read_before_another_one_is_announced(
    case_number: str, buyer: PortalClient, agent: PortalClient, bring: Bring
) -> None:
    bring(Move.RECEIVE, Move.DIAGNOSE)
    part = {"sku": "KB-0001", "quantity": "1", "key": "p"}
    assert agent.post(f"/service/cases/{case_number}/repair/parts", data=part).status_code == 303
    done = bring(Move.START, Move.PASS, Move.RETURN)

    page = buyer.get(f"/service/cases/{case_number}").text

    assert page.index(f"Repair {done.number}") < page.index("Announce another repair")
    assert page.count(">1 × KB-0001<") == 2, "reserved and used"


def test_what_cant_be_added_is_said_at_the_form_and_stays_typed(
    case_number: str, agent: PortalClient, bring: Bring
) -> None:
    bring(Move.RECEIVE, Move.DIAGNOSE)

    page = agent.post(
        f"/service/cases/{case_number}/repair/parts",
        data={"sku": "NO-SUCH", "quantity": "1", "key": "p"},
    )

    assert page.status_code == 422
    assert "There is no product NO-SUCH." in page.text
    assert 'value="NO-SUCH"' in page.text


def test_another_account_finds_nothing(bring: Bring, case_number: str, sign_in: SignIn) -> None:
    bring()
    stranger = sign_in("buyer@hanbit.example")

    for path in (
        f"/service/cases/{case_number}",
        f"/service/cases/{case_number}/repair/packing-slip.pdf",
    ):
        assert stranger.get(path).status_code == 404
    assert stranger.get("/service/repairs").status_code == 403
    assert stranger.get("/service/parts").status_code == 403


def test_the_board_and_its_files_show_the_same(bring: Bring, agent: PortalClient) -> None:
    repair = bring(Move.RECEIVE)

    page = agent.get("/service/repairs?view=received")
    file = agent.get("/service/repairs?view=received&format=csv").text

    assert repair.number in page.text
    assert repair.number in file
    assert "NB-7781" in file
    assert repair.number not in agent.get("/service/repairs?view=over").text
    assert agent.get("/service/repairs?view=all&format=xlsx").data[:2] == b"PK"


def test_agents_receive_spare_parts_in_the_workshop_alone(agent: PortalClient) -> None:
    form = {"sku": "KB-0002", "location_code": "REPAIR-BER", "quantity": "4", "key": "r"}

    assert agent.post("/service/parts", data=form).status_code == 303
    assert "KB-0002" in agent.get("/service/parts?q=KB-0002").text
    assert "KB-0002" in agent.get("/service/parts?q=KB-0002&format=csv").text
    refused = agent.post("/service/parts", data=form | {"location_code": "BERLIN", "key": "s"})
    assert refused.status_code == 422
    assert "locations that begin with REPAIR" in refused.text


def test_the_board_asks_the_same_number_of_statements_for_many(
    bring: Bring,
    agent: PortalClient,
    count_statements: Callable[[], AbstractContextManager[Counted]],
) -> None:
    agent.get("/service/repairs?view=all")
    with count_statements() as few:
        agent.get("/service/repairs?view=all")
    bring(Move.RECEIVE)
    with count_statements() as more:
        agent.get("/service/repairs?view=all")

    assert more.total <= few.total + 2, "a repair's parts and its agent's name, once for all"


def test_the_packing_slip_says_what_comes_and_from_where(
    bring: Bring, cast: Cast, case_number: str, now: datetime
) -> None:
    repair = bring()
    case = get_case(cast.acme.buyer, case_number)

    page = packing_slip_html(case, get_current(case))

    for words in (repair.number, "NB-7781", "ACME Group IT", "Hinge is loose", case_number):
        assert words in page
    assert now.year == repair.created_at.year


def test_bars_are_code_39() -> None:
    bars = elements_of("R-1")

    assert len(bars) == 5 * 9 + 4, "nine elements a character, a gap between, a stop at each end"
    assert bars[0] == (True, 2)
    assert [is_bar for is_bar, _width in bars] == [index % 2 == 0 for index in range(len(bars))]
