"""The approval pages: inbox, deciding without JavaScript, the link of the mail, in bulk."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select

from portal.accounts.models import Membership, MembershipRole, Unit
from portal.approvals import queries
from portal.approvals.actions import start_run, withdraw_run
from portal.approvals.models import ApprovalRun
from portal.approvals.rules import Outcome, RunState
from portal.db import db, transaction
from portal.messages.models import Message
from tests.approvals.office import Office, Told, always, by, open_office
from tests.stage import PortalClient

SignIn = Callable[..., PortalClient]
Rows = Callable[[], dict[str, tuple[int, str]]]


@pytest.fixture
def run(acme: Office, now: datetime) -> ApprovalRun:
    return start_run(acme.actor("mina"), acme.subject(), now)


@pytest.fixture
def kim(acme: Office, sign_in: SignIn) -> PortalClient:
    return sign_in(acme.email("kim"))


def hidden(page: str, name: str) -> str:
    field = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert field is not None
    value = re.search(r'value="([^"]*)"', field.group())
    assert value is not None
    return value.group(1)


def form(page: str, comment: str = "") -> dict[str, str]:
    return {
        "comment": comment,
        "content_hash": hidden(page, "content_hash"),
        "step": hidden(page, "step"),
    }


def mailed_link() -> str:
    return db.session.scalars(select(Message.path).order_by(Message.id.desc())).first() or ""


def state(run: ApprovalRun) -> str:
    return queries.load_run(run.id).state


def test_the_inbox_names_amount_requester_and_number(run: ApprovalRun, kim: PortalClient) -> None:
    page = kim.get("/approvals").text

    assert f'href="/approvals/{run.id}"' in page
    for words in ("Q-000001 r1", "6,000.00 EUR", "Mina", "Waiting since", "in approval"):
        assert words in page


def test_an_empty_inbox_says_what_would_stand_there(acme: Office, kim: PortalClient) -> None:
    assert acme.code == "ACME"
    assert "Nothing waits for you" in kim.get("/approvals").text
    assert "You have not decided anything yet" in kim.get("/approvals?box=decided").text
    assert "No approvals yet" in kim.get("/approvals?box=all").text
    assert kim.get("/approvals?box=nonsense").status_code == 200


def test_the_page_shows_what_why_and_who_above_the_buttons(
    run: ApprovalRun, kim: PortalClient
) -> None:
    page = kim.get(f"/approvals/{run.id}").text

    for words in (
        "Approve Q-000001 r1?",
        "Approve 6,000.00 EUR",
        "Request changes",
        "Reject",
        "Comment",
        "Rule 10, Rule 10: applies always.",
        "14-inch laptop",
        "Dec 14, 2026",
        'href="/quotes/Q-000001"',
        "Download PDF",
        "Approval route",
        "Lee",
    ):
        assert words in page


def test_looking_never_decides(run: ApprovalRun, kim: PortalClient, business_rows: Rows) -> None:
    before = business_rows()

    for address in (f"/approvals/{run.id}", mailed_link(), f"/approvals/bulk?run={run.id}"):
        assert kim.get(address).status_code == 200
    for move in ("approve", "reject", "request-changes"):
        assert kim.get(f"/approvals/{run.id}/{move}").status_code == 405

    assert business_rows() == before


def test_approving_ends_on_a_page_that_leads_to_the_next_one(
    acme: Office, run: ApprovalRun, kim: PortalClient, now: datetime
) -> None:
    start_run(acme.actor("mina"), acme.subject(key=2), now)
    page = kim.get(f"/approvals/{run.id}").text

    answer = kim.post(f"/approvals/{run.id}/approve", data=form(page, "ok, planned"))
    assert (answer.status_code, answer.location) == (303, f"/approvals/{run.id}/done")
    done = kim.get(answer.location).text

    assert "You approved Q-000001" in done
    assert "Next: Q-000001 (1 waiting)" in done
    assert "ok, planned" in done


def test_a_double_click_gives_the_same_page_and_one_decision(
    run: ApprovalRun, kim: PortalClient
) -> None:
    data = form(kim.get(f"/approvals/{run.id}").text)

    first = kim.post(f"/approvals/{run.id}/approve", data=data)
    second = kim.post(f"/approvals/{run.id}/approve", data=data)

    assert (first.location, second.location) == (f"/approvals/{run.id}/done",) * 2
    assert len(queries.find_decisions(run.id)) == 1


def test_rejecting_without_a_comment_is_refused_at_the_field(
    run: ApprovalRun, kim: PortalClient, business_rows: Rows
) -> None:
    data = form(kim.get(f"/approvals/{run.id}").text)
    before = business_rows()

    answer = kim.post(f"/approvals/{run.id}/reject", data=data)

    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert "Enter a comment: the requester needs to know why." in answer.text
    assert business_rows() == before


def test_requesting_changes_with_a_comment_ends_the_run(
    run: ApprovalRun, kim: PortalClient, told: Told
) -> None:
    data = form(kim.get(f"/approvals/{run.id}").text, "six are enough")

    answer = kim.post(f"/approvals/{run.id}/request-changes", data=data)

    assert answer.status_code == 303
    assert told.outcomes == [(1, Outcome.CHANGES_REQUESTED)]
    assert "Mina is told your reason" in kim.get(answer.location).text


def test_the_requester_and_another_account_get_404(
    acme: Office, run: ApprovalRun, sign_in: SignIn
) -> None:
    other = open_office("OTHER")
    other.hire("eve", "approver", "site-administrator")
    path = mailed_link()

    for who in (sign_in(acme.email("mina")), sign_in(other.email("eve"))):
        assert who.get(f"/approvals/{run.id}").status_code == 404
        assert who.get(f"/approvals/{run.id}/done").status_code == 404
        assert who.get(path).status_code == 404
        answer = who.post(f"/approvals/{run.id}/approve", data={"content_hash": run.content_hash})
        assert answer.status_code == 404
    assert state(run) == RunState.OPEN


def test_a_site_administrator_may_look_and_not_decide(
    acme: Office, run: ApprovalRun, sign_in: SignIn
) -> None:
    sam = sign_in(acme.email("sam"))

    page = sam.get(f"/approvals/{run.id}")
    answer = sam.post(f"/approvals/{run.id}/approve", data={"content_hash": run.content_hash})

    assert page.status_code == 200
    assert "Approve 6,000.00" not in page.text
    assert answer.status_code == 403
    assert "No step of this approval names you" in answer.text


def test_the_mailed_link_leads_through_the_sign_in_to_the_same_page(
    run: ApprovalRun, client: PortalClient, kim: PortalClient
) -> None:
    path = mailed_link()

    answer = client.get(path)
    assert answer.status_code == 303
    assert answer.location == f"/sign-in?next={path}"

    assert "Approve 6,000.00 EUR" in kim.get(path).text
    assert run.number == "Q-000001"


def test_the_link_of_one_approver_is_nothing_to_another(
    acme: Office, run: ApprovalRun, sign_in: SignIn
) -> None:
    assert sign_in(acme.email("lee")).get(mailed_link()).status_code == 404
    assert sign_in(acme.email("kim")).get("/a/guessed").status_code == 404
    assert state(run) == RunState.OPEN


def test_the_link_asks_for_the_membership_that_it_was_sent_to(
    acme: Office, now: datetime, sign_in: SignIn
) -> None:
    member = acme.membership("kim")
    with transaction():
        unit = Unit(account_id=acme.account_id, code="LAB", name="Lab")
        db.session.add(unit)
        db.session.flush()
        second = Membership(person_id=member.person_id, account_id=acme.account_id, unit_id=unit.id)
        db.session.add(second)
        db.session.flush()
        db.session.add(
            MembershipRole(membership_id=second.id, account_id=acme.account_id, role="viewer")
        )
    start_run(acme.actor("mina"), acme.subject(), now)
    path = mailed_link()

    elsewhere = sign_in(acme.email("kim"), "ACME - LAB").get(path)

    assert elsewhere.status_code == 303
    assert elsewhere.location == f"/memberships?next={path}"
    assert sign_in(acme.email("kim"), "ACME - HQ").get(path).status_code == 200


def test_an_outdated_revision_shows_what_changed_and_cannot_be_approved(
    acme: Office, run: ApprovalRun, kim: PortalClient, now: datetime
) -> None:
    data = form(kim.get(f"/approvals/{run.id}").text)
    path = mailed_link()
    withdraw_run("quote", 1, now, acme.actor("mina"))
    second = start_run(
        acme.actor("mina"), acme.subject(key=2, revision=2, changes=("Laptop: 8 → 10",)), now
    )

    page = kim.get(path).text
    answer = kim.post(f"/approvals/{run.id}/approve", data=data)

    for shown in (page, answer.text):
        assert "This revision is not current any more" in shown
        assert "Laptop: 8 → 10" in shown
        assert f'href="/approvals/{second.id}"' in shown
        assert "Approve 6,000.00 EUR" not in shown
    assert answer.status_code == 409
    assert queries.find_decisions(run.id) == []
    assert queries.find_decisions(second.id) == []


def test_several_are_approved_together_after_a_confirmation(
    acme: Office, run: ApprovalRun, kim: PortalClient, now: datetime
) -> None:
    second = start_run(acme.actor("mina"), acme.subject(key=2, total="70.00"), now)

    page = kim.get(f"/approvals/bulk?run={run.id}&run={second.id}&run=999&run=x").text
    assert "Approve 2 requests" in page
    pairs = re.findall(r'name="run" value="([^"]*)"', page)
    assert pairs == [f"{item.id}:{item.content_hash}" for item in (run, second)]
    stale = f"{second.id}:{'f' * 64}"
    answer = kim.post("/approvals/bulk", data={"run": [pairs[0], stale], "comment": "all fine"})

    assert answer.status_code == 303
    inbox = kim.get(answer.location).text
    assert "1 approved." in inbox
    assert "Q-000001 changed" in inbox
    assert [item.comment for item in queries.find_decisions(run.id)] == ["all fine"]
    assert queries.find_decisions(second.id) == []


def test_choosing_nothing_together_leads_back(acme: Office, kim: PortalClient) -> None:
    assert acme.code == "ACME"

    answer = kim.get("/approvals/bulk")

    assert (answer.status_code, answer.location) == (303, "/approvals")
    assert "Choose at least one approval that waits for you." in kim.get("/approvals").text


def test_the_inbox_takes_as_many_statements_for_many_rows_as_for_few(
    acme: Office,
    kim: PortalClient,
    now: datetime,
    count_statements: Callable[[], object],
) -> None:
    def statements(address: str) -> int:
        with count_statements() as counted:  # type: ignore[attr-defined]
            assert kim.get(address).status_code == 200
        total: int = counted.total
        return total

    start_run(acme.actor("mina"), acme.subject(key=1), now)
    few = statements("/approvals")
    for key in range(2, 30):
        start_run(acme.actor("mina"), acme.subject(key=key), now)

    assert statements("/approvals") == few


def test_the_approval_page_takes_as_many_statements_for_many_steps_as_for_few(
    acme: Office,
    kim: PortalClient,
    run: ApprovalRun,
    now: datetime,
    count_statements: Callable[[], object],
) -> None:
    def statements(key: int) -> int:
        with count_statements() as counted:  # type: ignore[attr-defined]
            assert kim.get(f"/approvals/{key}").status_code == 200
        total: int = counted.total
        return total

    few = statements(run.id)
    acme.set_policy(now, *(always(key, by("kim", level=key)) for key in range(1, 12)))
    many = start_run(acme.actor("mina"), acme.subject(key=2), now)

    assert statements(many.id) == few
