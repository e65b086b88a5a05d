"""The pages of cases, as the people who open them see them."""

import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest

from portal.demo.cast import Cast
from portal.service.assets.models import Asset
from portal.service.cases.actions import Then, add_note, reply
from portal.service.cases.queries import get_case
from portal.service.cases.rules import CaseKind, CaseStatus, Priority
from tests.service.desk import OpenCase
from tests.stage import Counted, PortalClient

SignIn = Callable[..., PortalClient]
BUYER, AGENT = "buyer@acme.example", "service@northwind.example"
HERE = "ACME - IT"
NEW = {
    "kind": "repair",
    "subject": "Keyboard dead",
    "text": "Three keys do nothing.",
    "key": "form-1",
}
pytestmark = pytest.mark.usefixtures("world")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.fixture
def buyer(sign_in: SignIn) -> PortalClient:
    return sign_in(BUYER, membership=HERE)


@pytest.fixture
def agent(sign_in: SignIn) -> PortalClient:
    return sign_in(AGENT)


def test_the_warranty_of_an_asset_is_shown_at_once(buyer: PortalClient, laptop: Asset) -> None:
    page = buyer.get(f"/service/cases/new?asset={laptop.service_tag}")

    assert page.status_code == 200
    assert 'value="NB-7781"' in page.text
    assert "covered until" in page.text
    assert "Warranty: parts, labour" in re.sub(r"\s+", " ", page.text)


def test_a_case_is_checked_before_it_is_sent_and_nothing_typed_is_lost(
    buyer: PortalClient, laptop: Asset
) -> None:
    checked = buyer.post("/service/cases/new", data=NEW | {"about": "nb-7781", "then": "check"})

    assert checked.status_code == 200
    assert "Three keys do nothing." in checked.text
    assert laptop.name in checked.text
    assert "Photos and files" in checked.text
    sent = buyer.post(
        "/service/cases/new",
        data=NEW | {"about": "nb-7781", "then": "send", "files": (io.BytesIO(PNG), "../key.exe")},
    )
    assert sent.status_code == 303
    page = buyer.get(sent.location)
    assert "Keyboard dead" in page.text
    assert "NB-7781" in page.text
    assert ">key.exe.png<" in page.text, "the ending follows the content, the folder is gone"


def test_pressing_twice_opens_one_case(buyer: PortalClient) -> None:
    first = buyer.post("/service/cases/new", data=NEW | {"then": "send"})
    second = buyer.post("/service/cases/new", data=NEW | {"then": "send"})

    assert first.location == second.location


def test_an_unknown_serial_number_is_said_at_its_field(buyer: PortalClient) -> None:
    page = buyer.post("/service/cases/new", data=NEW | {"about": "NO-SUCH", "then": "send"})

    assert page.status_code == 422
    assert "“NO-SUCH” is no serial number, order or product that you can see." in page.text
    assert 'value="NO-SUCH"' in page.text
    assert "Three keys do nothing." in page.text


def test_a_file_comes_back_whole_to_be_kept_and_never_shown(buyer: PortalClient) -> None:
    data = NEW | {"then": "send", "files": (io.BytesIO(PNG), "lamp.png")}
    where = buyer.post("/service/cases/new", data=data).location

    answer = buyer.get(f"{where}/attachments/1")

    assert answer.data == PNG
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == "attachment; filename=lamp.png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert buyer.get(f"{where}/attachments/2").status_code == 404


def test_a_file_of_a_note_is_not_there_for_the_customer(
    buyer: PortalClient, agent: PortalClient, opened: OpenCase
) -> None:
    number = opened().number
    data = {"note": "See photo.", "key": "n", "note_files": (io.BytesIO(PNG), "lamp.png")}
    assert agent.post(f"/service/cases/{number}/note", data=data).status_code == 303

    assert agent.get(f"/service/cases/{number}/attachments/1").status_code == 200
    assert buyer.get(f"/service/cases/{number}/attachments/1").status_code == 404
    assert "See photo." not in buyer.get(f"/service/cases/{number}").text


def test_an_unsafe_file_is_refused_in_words_and_the_text_stays(
    buyer: PortalClient, opened: OpenCase
) -> None:
    number = opened().number
    data = {"text": "My tool", "key": "r", "files": (io.BytesIO(b"MZ\x90\0\3\0"), "photo.jpg")}

    page = buyer.post(f"/service/cases/{number}/reply", data=data)

    assert page.status_code == 422
    assert "“photo.jpg” is not a photo, video, PDF or text file." in page.text
    assert "My tool" in page.text


def test_the_customer_sees_what_is_waited_for_and_why_the_clock_pauses(
    buyer: PortalClient, opened: OpenCase, cast: Cast, now: datetime
) -> None:
    number = opened(at=now - timedelta(hours=1)).number
    reply(cast.supplier.service_agent, number, "Which lamp?", now=now, then=Then.ASK)

    page = buyer.get(f"/service/cases/{number}")

    assert "waiting for customer" in page.text
    assert "we wait for your reply" in page.text
    assert "paused" in page.text
    assert "The service asked back" in page.text
    assert "The service answered" not in page.text, "asking back is said once"
    assert buyer.post(
        f"/service/cases/{number}/reply", data={"text": "The left one.", "key": "k"}
    ).location.endswith(number)
    assert "waiting for customer" not in buyer.get(f"/service/cases/{number}").text


def test_the_time_line_of_the_customer_leaves_out_what_the_service_does_by_itself(
    buyer: PortalClient, agent: PortalClient, opened: OpenCase, cast: Cast, now: datetime
) -> None:
    number = opened().number
    add_note(cast.supplier.service_agent, number, "Call first.", now=now)

    assert "Internal note written" in agent.get(f"/service/cases/{number}").text
    assert "Internal note written" not in buyer.get(f"/service/cases/{number}").text


def test_an_agent_opens_a_case_from_a_call_for_somebody(agent: PortalClient, cast: Cast) -> None:
    call = NEW | {"requester": "buyer@acme", "channel": "call", "about": "", "then": "send"}

    blank = agent.get("/service/cases/new").text
    for word in ("Call", "E-mail"):
        assert re.search(rf"<label[^>]*>\s*{word}\s*<", blank), word
    unsure = agent.post("/service/cases/new", data=call)
    assert unsure.status_code == 422
    assert "Several people fit: choose one." in unsure.text
    here = str(cast.acme.buyer.membership_id)
    sent = agent.post("/service/cases/new", data=call | {"requester_id": here})

    assert sent.status_code == 303
    case = get_case(cast.acme.buyer, sent.location.rsplit("/", 1)[1])
    assert (case.channel.value, case.membership_id) == ("call", cast.acme.buyer.membership_id)


def test_an_agent_inserts_a_canned_answer_without_losing_a_word(
    agent: PortalClient, opened: OpenCase
) -> None:
    number = opened().number
    saved = agent.post(
        "/desk/service/answers/new",
        data={"name": "Hello", "body": "Dear customer, about {number}:", "version": "0"},
    )
    assert saved.status_code == 303
    phrase = re.search(r'/desk/service/answers/(\d+)">Hello<', agent.get("/desk/service").text)
    assert phrase is not None

    page = agent.post(
        f"/service/cases/{number}/reply",
        data={"text": "First.", "phrase": phrase[1], "then": "insert", "key": "k"},
    )

    assert page.status_code == 200
    assert f"First.\n\nDear customer, about {number}:" in page.text
    assert "Dear customer" not in agent.get(f"/service/cases/{number}").text.split("</form>")[0]


def test_the_queue_is_sorted_by_the_clock_and_counts_exactly(
    agent: PortalClient, opened: OpenCase, cast: Cast, now: datetime
) -> None:
    late = opened(subject="Late", at=now - timedelta(days=20))
    soon = opened(subject="Soon", at=now - timedelta(hours=2), priority=Priority.URGENT)
    calm = opened(subject="Calm", at=now - timedelta(minutes=5), priority=Priority.LOW)
    reply(cast.supplier.service_agent, calm.number, "Which?", now=now, then=Then.ASK)

    page = agent.get("/service/cases").text
    order = [page.index(f">{case.number}<") for case in (late, soon, calm)]
    overdue = agent.get("/service/cases?view=overdue").text

    assert order == sorted(order)
    assert late.number in overdue
    assert soon.number not in overdue
    assert calm.number in agent.get("/service/cases?view=waiting").text
    assert calm.number in agent.get("/service/cases?view=mine").text
    assert calm.number not in agent.get("/service/cases?view=unassigned").text


def test_the_file_holds_exactly_what_the_filter_shows(
    agent: PortalClient, opened: OpenCase
) -> None:
    complaint = opened(kind=CaseKind.COMPLAINT, subject="Box crushed")
    question = opened(subject="=HYPERLINK(1)")

    csv = agent.get("/service/cases?kind=complaint&format=csv")
    everything = agent.get("/service/cases?view=all&format=csv").text

    assert complaint.number in csv.text
    assert question.number not in csv.text
    assert csv.headers["Content-Disposition"].endswith("cases.csv")
    assert "\t=HYPERLINK(1)" in everything or "'=HYPERLINK(1)" in everything
    assert agent.get("/service/cases?format=xlsx").data[:2] == b"PK"


def test_the_queue_asks_the_database_as_often_for_many_as_for_few(
    agent: PortalClient,
    opened: OpenCase,
    count_statements: Callable[[], AbstractContextManager[Counted]],
) -> None:
    opened()
    agent.get("/service/cases")
    with count_statements() as few:
        agent.get("/service/cases")
    for number in range(12):
        opened(subject=f"Case {number}")
    with count_statements() as many:
        agent.get("/service/cases")

    assert many.total == few.total


def test_a_complaint_is_assessed_and_followed_up(
    agent: PortalClient, opened: OpenCase, cast: Cast, now: datetime
) -> None:
    case = opened(kind=CaseKind.COMPLAINT)
    version = get_case(cast.acme.buyer, case.number).version
    found = {
        "category": "delivery",
        "severity": "major",
        "cause": "carrier",
        "measure": "Sent again.",
        "follow_up_on": (now - timedelta(days=1)).date().isoformat(),
        "version": str(version),
    }

    assert agent.post(f"/service/cases/{case.number}/complaint", data=found).status_code == 303
    stale = agent.post(f"/service/cases/{case.number}/complaint", data=found | {"cause": "ours"})

    assert stale.status_code == 422
    assert "changed while you were working on it" in stale.text
    assert get_case(cast.acme.buyer, case.number).cause == "carrier"
    assert case.number in agent.get("/service/cases?view=follow-up").text
    agent.post(f"/service/cases/{case.number}/follow-up")
    assert case.number not in agent.get("/service/cases?view=follow-up").text


def test_a_closed_case_offers_the_rating_once(
    buyer: PortalClient, opened: OpenCase, cast: Cast
) -> None:
    number = opened().number
    assert "Close case" in buyer.get(f"/service/cases/{number}").text
    buyer.post(f"/service/cases/{number}/close")
    assert "Rate the service" in buyer.get(f"/service/cases/{number}").text

    buyer.post(f"/service/cases/{number}/rate", data={"stars": "4", "words": "Fine."})

    page = buyer.get(f"/service/cases/{number}").text
    assert "4 of 5" in page
    assert "Rate the service" not in page
    assert get_case(cast.acme.buyer, number).status is CaseStatus.CLOSED
