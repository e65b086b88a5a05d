"""The policy page: read in sentences, checked before it is saved, versions kept."""

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.approvals.models import ApprovalPolicy
from portal.approvals.policy_import import (
    PolicyNotFoundError,
    export_policies,
    export_policy,
    import_policy_file,
)
from portal.db import db
from portal.errors import NotAllowedError
from portal.events.models import Event
from tests.approvals.office import Office, always, by, open_office
from tests.approvals.world import rule, step
from tests.stage import PortalClient

SignIn = Callable[..., PortalClient]
Rows = Callable[[], dict[str, tuple[int, str]]]


def file_of(*rules: dict[str, object], **head: object) -> bytes:
    return json.dumps({"account_code": "ACME", "rules": list(rules)} | head).encode()


def versions() -> list[tuple[int, int]]:
    rows = db.session.scalars(select(ApprovalPolicy).order_by(ApprovalPolicy.id))
    return [(row.version, len(row.document["rules"])) for row in rows]


@pytest.fixture
def sam(acme: Office, sign_in: SignIn) -> PortalClient:
    return sign_in(acme.email("sam"))


def upload(client: PortalClient, data: bytes) -> TestResponse:
    return client.post(
        "/company/policy/check",
        data={"file": (io.BytesIO(data), "policy.json")},
        content_type="multipart/form-data",
    )


def test_a_changed_policy_is_a_new_version_counted_in_rules(acme: Office, now: datetime) -> None:
    changed = file_of(
        always(10, by("lee")), always(30, by("kim")), signing_limits="off", total_basis="gross"
    )

    report = import_policy_file(acme.operator(), changed, now + timedelta(hours=1))

    assert report.as_json() == {
        "kind": "policy",
        "new": 1,
        "changed": 2,
        "removed": 1,
        "unchanged": 0,
        "refused": [],
        "made": [],
    }
    assert versions() == [(1, 2), (2, 2)]
    assert db.session.scalars(
        select(Event.data).where(Event.verb == "policy.saved").order_by(Event.id.desc())
    ).first() == {"version": 2, "rules": 2}


def test_an_export_imported_again_changes_nothing(
    acme: Office, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()
    text = json.dumps(export_policy(acme.operator(), "ACME", None, now))

    report = import_policy_file(acme.operator(), text, now)

    assert (report.new, report.changed, report.removed, report.unchanged) == (0, 0, 0, 2)
    assert business_rows() == before
    with pytest.raises(PolicyNotFoundError):
        export_policy(acme.operator(), "ACME", "HQ", now)


def test_a_dry_run_writes_nothing(acme: Office, now: datetime, business_rows: Rows) -> None:
    before = business_rows()

    report = import_policy_file(acme.operator(), file_of(), now, dry_run=True)

    assert (report.removed, report.changed) == (2, 1)
    assert business_rows() == before


@pytest.mark.parametrize(
    ("head", "column", "value"),
    [
        ({"unit_code": "NOWHERE"}, "unit_code", "NOWHERE"),
        ({"account_code": "NOBODY"}, "account_code", "NOBODY"),
    ],
)
def test_a_policy_of_an_unknown_account_or_unit_is_refused(
    acme: Office,
    now: datetime,
    head: dict[str, object],
    column: str,
    value: str,
    business_rows: Rows,
) -> None:
    before = business_rows()

    report = import_policy_file(acme.operator(), file_of(**head), now)

    refused = report.as_json()["refused"]
    assert [(item["row"], item["column"], item["value"]) for item in refused] == [
        (0, column, value)
    ]
    assert business_rows() == before


def test_nobody_saves_the_policy_of_another_account(
    acme: Office, now: datetime, business_rows: Rows
) -> None:
    other = open_office("OTHER")
    eve = other.hire("eve", "site-administrator")
    before = business_rows()

    report = import_policy_file(eve, file_of(), now)
    with pytest.raises(NotAllowedError):
        import_policy_file(acme.actor("kim"), file_of(), now)

    assert [item.path for item in report.refused] == ["account_code"]
    assert [len(item["rules"]) for item in export_policies(acme.operator(), "ACME", now)] == [2]
    assert business_rows() == before


def test_an_earlier_version_is_what_held_then(acme: Office, now: datetime) -> None:
    import_policy_file(acme.operator(), file_of(), now + timedelta(days=1))

    assert len(export_policies(acme.operator(), "ACME", now)[0]["rules"]) == 2
    assert export_policies(acme.operator(), "ACME", now + timedelta(days=2))[0]["rules"] == []


def test_the_page_reads_the_policy_and_names_who_stands_behind_it(
    acme: Office, now: datetime, sam: PortalClient
) -> None:
    acme.set_policy(
        now,
        rule(10, {"total_over": "5000.00"}, step({"role": "approver"})),
        rule(20, {"off_contract": True}, step({"manager": True}, level=2)),
    )

    page = sam.get("/company/policy").text

    for words in (
        "Version 2",
        "The total is over 5,000.00 EUR.",
        "One of: the holders of the role “Approver” nearest to the requester.",
        "Today: Lee, Kim",
        "Some line is at list price, outside the agreement.",
        "the manager of the one who submits",
    ):
        assert words in page
    assert "Dead ends" not in page


def test_the_page_warns_of_dead_ends(acme: Office, now: datetime, sam: PortalClient) -> None:
    acme.set_policy(
        now,
        rule(10, {"total_over": "5000.00"}, step({"persons": ["gone@acme.example"]})),
        rule(20, {}, step({"role": "approver"}, quorum=3)),
    )

    page = sam.get("/company/policy").text

    assert "Dead ends" in page
    assert "nobody whom it names is active and may approve this" in page
    assert "3 different people are needed, 2 can approve" in page
    assert "Requests by Mina could not be submitted." in page


def test_without_a_policy_the_page_says_who_decides(sign_in: SignIn) -> None:
    office = open_office("BARE")
    office.hire("ada", "site-administrator")

    page = sign_in(office.email("ada")).get("/company/policy").text

    assert "There is no approval policy" in page


def test_a_file_is_checked_first_and_saved_by_the_second_button(
    acme: Office, sam: PortalClient, business_rows: Rows
) -> None:
    assert acme.code == "ACME"
    data = file_of(always(10, by("lee")), signing_limits="off")
    before = business_rows()

    checked = upload(sam, data)

    assert checked.status_code == 200
    assert "All of: lee@acme.example." in checked.text
    assert business_rows() == before

    saved = sam.post("/company/policy/save", data={"document": data.decode()})
    assert (saved.status_code, saved.location) == (303, "/company/policy")
    assert versions() == [(1, 2), (2, 1)]


def test_a_broken_file_is_shown_place_by_place_and_cannot_be_saved(
    acme: Office, sam: PortalClient, business_rows: Rows
) -> None:
    assert acme.code == "ACME"
    data = file_of(rule(10, {"budget_exceeded": True}, step({"role": "king"})))
    before = business_rows()

    checked = upload(sam, data)
    saved = sam.post("/company/policy/save", data={"document": data.decode()})

    for answer in (checked, saved):
        assert answer.status_code == 422
        assert "rules[0].when.budget_exceeded" in answer.text
        assert "keeps no budgets yet" in answer.text
        assert "rules[0].steps[0].approvers.role" in answer.text
    assert business_rows() == before


def test_no_file_is_refused_at_the_field(sam: PortalClient) -> None:
    answer = sam.post("/company/policy/check", data={})

    assert answer.status_code == 422
    assert "There is a problem" in answer.text


def test_only_whoever_may_save_gets_the_upload(
    acme: Office, sign_in: SignIn, business_rows: Rows
) -> None:
    acme.hire("olga", "auditor")
    olga = sign_in(acme.email("olga"))
    before = business_rows()

    page = olga.get("/company/policy")
    answer = olga.post("/company/policy/save", data={"document": file_of().decode()})

    assert page.status_code == 200
    assert "Policy file" not in page.text
    assert answer.status_code == 403
    assert sign_in(acme.email("mina")).get("/company/policy").status_code == 403
    assert business_rows() == before


def test_the_download_is_the_file_of_the_policy_in_force(
    acme: Office, now: datetime, sam: PortalClient
) -> None:
    answer = sam.get("/company/policy/export.json")

    assert answer.mimetype == "application/json"
    assert json.loads(answer.text) == export_policy(acme.operator(), "ACME", None, now)
