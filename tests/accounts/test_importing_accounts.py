"""Files of accounts, their organisation and people: exact, whole, and within reach."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts.imports import KINDS, AssortmentsHook, set_assortments_hook
from portal.accounts.models import (
    Account,
    AccountAssignment,
    Membership,
    Person,
    Unit,
)
from portal.accounts.queries import AccountNotFoundError, load_actor
from portal.db import db
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from tests.accounts.files import export, load, refusals
from tests.accounts.keys import key_of

Rows = Callable[[], object]
PEOPLE = "email,name,account_code,unit_code,roles,signing_limit,manager_email\n"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_an_export_imported_again_changes_nothing(
    business_rows: Rows,
    name: str,
) -> None:
    text = export(name)
    before = business_rows()

    report = load(name, text)

    rows = text.count("\r\n") - 1
    assert rows > 1
    assert (report.new, report.changed, report.removed, report.unchanged) == (0, 0, 0, rows)
    assert report.refused == []
    assert business_rows() == before


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_an_export_of_one_account_names_no_other(name: str) -> None:
    text = export(name, account="ACME")

    assert "ACME" in text
    assert "HANBIT" not in text
    assert "SUPPLIER" not in text


@pytest.mark.usefixtures("world")
def test_an_import_with_one_wrong_row_writes_none(business_rows: Rows) -> None:
    before = business_rows()

    report = load(
        "people",
        PEOPLE
        + "a@acme.example,Anna,ACME,IT,viewer,,\n"
        + "b@acme.example,Bert,ACME,NOWHERE,viewer,,\n"
        + "c@acme.example,Carl,ACME,IT,order-desk,-5,boss@acme.example\n",
    )

    assert [(row, column) for row, column, _reason in refusals(report)] == [(4, "signing_limit")]
    assert business_rows() == before

    report = load(
        "people",
        PEOPLE
        + "a@acme.example,Anna,ACME,IT,viewer,,\n"
        + "b@acme.example,Bert,ACME,NOWHERE,viewer,,\n"
        + "c@acme.example,Carl,ACME,IT,order-desk,5,\n",
    )
    assert refusals(report) == [
        (3, "unit_code", "The account has no unit with this code."),
        (
            4,
            "roles",
            (
                "Use one of: viewer, shopper, buyer, site-buyer, approver, service-contact,"
                " user-administrator, site-administrator, auditor."
            ),
        ),
    ]
    assert business_rows() == before


@pytest.mark.usefixtures("world")
def test_a_dry_run_counts_and_writes_nothing(business_rows: Rows) -> None:
    before = business_rows()

    report = load("units", "account_code,unit_code,name\nACME,NEW,New\nACME,IT,IT!\n", dry_run=True)

    assert (report.new, report.changed, report.unchanged) == (1, 1, 0)
    assert business_rows() == before


REFUSED = [
    ("accounts", "account_code,country,currency\nNEW,AT,EUR\n", "name", "This can't be empty."),
    ("accounts", "account_code,name\nACME,\n", "name", "This can't be empty."),
    ("accounts", "account_code,country\nACME,XX\n", "country", "Use a country code"),
    ("accounts", "account_code,country\nACME,de\n", "country", "Use a country code"),
    ("accounts", "account_code,currency\nACME,EURO\n", "currency", "Use a currency code"),
    ("accounts", "account_code,locale\nACME,german!\n", "locale", "Use a language tag"),
    ("accounts", "account_code,time_zone\nACME,Mars/One\n", "time_zone", "Use a time zone"),
    ("accounts", "account_code,status\nACME,gone\n", "status", "Use one of: prospect"),
    ("accounts", "account_code,credit_limit\nACME,-1\n", "credit_limit", "must lie between"),
    ("accounts", "account_code,quote_valid_days\nACME,0\n", "quote_valid_days", "must lie between"),
    (
        "accounts",
        "account_code,purchase_order_pattern\nACME,[\n",
        "purchase_order_pattern",
        "This pattern can't be read",
    ),
    (
        "accounts",
        "account_code,purchase_order_pattern\nACME,(a+)+b\n",
        "purchase_order_pattern",
        "This pattern is too involved",
    ),
    (
        "accounts",
        "account_code,tier\nSUPPLIER,gold\n",
        "account_code",
        "This is the supplier's own",
    ),
    ("accounts", "account_code,colour\nACME,red\n", "colour", "There is no column"),
    ("accounts", "account_code,tier\nACME,gold\nACME,silver\n", "account_code", "Row 2 already"),
    ("units", "account_code,unit_code,name\nNOBODY,X,X\n", "account_code", "There is no account"),
    (
        "units",
        "account_code,unit_code,parent_unit_code\nACME,IT,NOWHERE\n",
        "parent_unit_code",
        "The account has no unit",
    ),
    (
        "units",
        "account_code,unit_code,parent_unit_code\nACME,HQ,LAB\n",
        "parent_unit_code",
        "These units lead back",
    ),
    (
        "units",
        "account_code,unit_code,parent_unit_code\nACME,IT,IT\n",
        "parent_unit_code",
        "These units lead back",
    ),
    (
        "addresses",
        "account_code,address_code,kind\nACME,BER-IT,home\n",
        "kind",
        "Use one of: ship, bill.",
    ),
    ("addresses", "account_code,address_code,city\nACME,BER-IT,\n", "city", "This can't be empty."),
    (
        "cost-centres",
        "account_code,cost_centre_code,owner_email\nACME,2100,cfo@hanbit.example\n",
        "owner_email",
        "Nobody of this account",
    ),
    (
        "access-groups",
        "account_code,access_group_code,assortments\nACME,OFFICE,SECRET\n",
        "assortments",
        "The account has no assortment SECRET",
    ),
    (
        "people",
        "email,account_code,unit_code,manager_email\ncfo@acme.example,ACME,HQ,buyer@acme.example\n",
        "manager_email",
        "These managers lead back",
    ),
    (
        "people",
        "email,account_code,unit_code,manager_email\ncfo@acme.example,ACME,HQ,cfo@acme.example\n",
        "manager_email",
        "These managers lead back",
    ),
    (
        "people",
        "email,account_code,unit_code,manager_email\ncfo@acme.example,ACME,HQ,cfo@hanbit.example\n",
        "manager_email",
        "Nobody of this account",
    ),
    (
        "people",
        "email,account_code,unit_code\nno address,ACME,HQ\n",
        "email",
        "Enter an e-mail address",
    ),
    (
        "people",
        "email,account_code,unit_code,signing_limit\ncfo@acme.example,ACME,HQ,lots\n",
        "signing_limit",
        "Enter a number",
    ),
    (
        "people",
        "email,account_code,unit_code,access_group_code\ncfo@acme.example,ACME,HQ,X\n",
        "access_group_code",
        "The account has no access group",
    ),
    (
        "people",
        "email,account_code,unit_code,assigned_accounts\ncfo@acme.example,ACME,HQ,HANBIT\n",
        "assigned_accounts",
        "There is no account",
    ),
    (
        "people",
        "email,account_code,unit_code,assigned_accounts\nmanager@northwind.example,SUPPLIER,NORTHWIND,SUPPLIER\n",
        "assigned_accounts",
        "There is no account",
    ),
    (
        "people",
        "email,account_code,unit_code,roles\nmanager@northwind.example,SUPPLIER,NORTHWIND,buyer\n",
        "roles",
        "Use one of: account-manager",
    ),
    (
        "people",
        "email,name,account_code,unit_code\nx@acme.example,A,ACME,IT\nx@acme.example,B,ACME,HQ\n",
        "name",
        "Row 2 gives this person another name",
    ),
]


@pytest.mark.usefixtures("world")
@pytest.mark.usefixtures("world")
@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("name", "text", "column", "reason"),
    REFUSED,
    ids=[f"{row[0]} {row[2]} {row[3]}" for row in REFUSED],
)
def test_what_can_not_be_used_is_refused_at_its_cell(
    business_rows: Rows,
    name: str,
    text: str,
    column: str,
    reason: str,
) -> None:
    before = business_rows()

    report = load(name, text)

    found = refusals(report)
    assert [item[1] for item in found] == [column] * len(found)
    assert any(item[2].startswith(reason) or reason in item[2] for item in found), found
    assert business_rows() == before


@pytest.mark.usefixtures("world")
@pytest.mark.usefixtures("world")
def test_a_missing_column_leaves_what_is_there() -> None:
    before = export("accounts")

    report = load("accounts", "account_code,tier\nACME,platinum\nHANBIT,silver\n")

    assert (report.changed, report.unchanged) == (1, 1)
    assert export("accounts") == before.replace(",gold,", ",platinum,")


@pytest.mark.usefixtures("world")
@pytest.mark.usefixtures("world")
def test_an_empty_state_never_activates_an_account() -> None:
    load("accounts", "account_code,status\nACME,suspended\n")

    load("accounts", "account_code,status,tier\nACME,,gold\n")

    assert db.session.scalar(select(Account.status).where(Account.code == "ACME")) == "suspended"


@pytest.mark.usefixtures("world")
@pytest.mark.usefixtures("world")
def test_units_may_come_in_any_order() -> None:
    report = load(
        "units",
        "account_code,unit_code,parent_unit_code,name\nACME,LEAF,BRANCH,Leaf\nACME,BRANCH,HQ,Branch\n",
    )

    assert (report.new, report.refused) == (2, [])
    leaf, branch = (
        db.session.scalars(select(Unit).where(Unit.code == code)).one()
        for code in ("LEAF", "BRANCH")
    )
    assert leaf.parent_id == branch.id


@pytest.mark.usefixtures("world")
@pytest.mark.usefixtures("world")
def test_people_and_their_managers_come_in_one_file() -> None:
    report = load(
        "people",
        PEOPLE
        + "new@acme.example,Nora,ACME,IT,buyer;viewer,1000.50,boss@acme.example\n"
        + "boss@acme.example,Bob,ACME,HQ,approver,unlimited,\n",
    )

    assert (report.new, report.refused) == (2, [])
    new, boss = (
        db.session.scalars(select(Membership).join(Person).where(Person.email == email)).one()
        for email in ("new@acme.example", "boss@acme.example")
    )
    assert new.manager_id == boss.id
    assert (boss.limit, new.limit) == (None, new.signing_limit)
    assert str(new.signing_limit) == "1000.5000"
    assert load_actor(new.id) is None, "an imported person acts once they have a password"


@pytest.mark.usefixtures("world")
def test_a_person_may_get_another_membership_by_a_row_with_another_unit() -> None:
    report = load("people", PEOPLE + "shopper@acme.example,Sam Hoffmann,ACME,VIE,viewer,,\n")

    assert (report.new, report.changed) == (1, 0)
    assert len(export("people").split("shopper@acme.example,Sam")) == 3


def test_the_manager_is_taken_from_the_nearest_unit(cast: Cast) -> None:
    load(
        "people",
        PEOPLE + "lab@acme.example,Lab,ACME,LAB,shopper,,buyer@acme.example\n"
        "it@acme.example,It,ACME,IT,shopper,,buyer@acme.example\n",
    )

    managers = {
        person.email: db.session.get_one(Membership, member.manager_id).unit_id
        for member, person in db.session.execute(
            select(Membership, Person).join(Person, Person.id == Membership.person_id)
        )
        if member.manager_id
    }
    units = {unit.code: unit.id for unit in db.session.scalars(select(Unit))}
    research = db.session.scalars(
        select(Unit.id).where(Unit.code == "RND", Unit.parent_id == units["HQ"])
    ).one()
    assert managers["lab@acme.example"] == research
    assert managers["it@acme.example"] == cast.acme.buyer.unit_id


def test_an_account_manager_imports_for_assigned_accounts_alone(
    cast: Cast,
    business_rows: Rows,
) -> None:
    manager = cast.supplier.account_manager
    before = business_rows()

    for name, text in (
        ("accounts", "account_code,tier\nHANBIT,gold\n"),
        ("units", "account_code,unit_code,name\nHANBIT,X,X\n"),
        ("people", "email,name,account_code,unit_code\nx@y.example,X,HANBIT,IT\n"),
        ("people", "email,name,account_code,unit_code\nx@y.example,X,SUPPLIER,NORTHWIND\n"),
    ):
        report = load(name, text, manager)
        assert [item[1] for item in refusals(report)] == ["account_code"]
    assert business_rows() == before

    assert load("accounts", "account_code,tier\nACME,iron\n", manager).changed == 1
    with pytest.raises(AccountNotFoundError):
        export("people", manager, "HANBIT")
    assert "HANBIT" not in export("people", manager)


def test_who_makes_an_account_looks_after_it(cast: Cast) -> None:
    manager = cast.supplier.account_manager

    report = load("accounts", "account_code,name,country,currency\nNEW,New,AT,EUR\n", manager)

    assert report.new == 1
    made = db.session.scalars(select(Account).where(Account.code == "NEW")).one()
    assert (made.kind, made.status, made.locale) == ("customer", "active", "en")
    assert made.id in cast.supplier.account_manager.assigned_account_ids


def test_who_may_not_import_is_refused_before_anything_is_read(
    cast: Cast,
    business_rows: Rows,
) -> None:
    before = business_rows()

    for actor, name in (
        (cast.acme.buyer, "people"),
        (cast.acme.admin, "accounts"),
        (cast.supplier.order_desk, "units"),
        (cast.supplier.auditor, "people"),
    ):
        with pytest.raises(NotAllowedError):
            load(name, "account_code\nACME\n", actor)
    assert business_rows() == before


def test_nobody_imports_their_own_rights(cast: Cast, business_rows: Rows) -> None:
    before = business_rows()

    report = load(
        "people",
        "email,account_code,unit_code,signing_limit\nadmin@acme.example,ACME,HQ,unlimited\n",
        cast.acme.admin,
    )

    assert [(row, column) for row, column, _reason in refusals(report)] == [(2, "email")]
    assert business_rows() == before


def test_a_user_administrator_imports_nobody(cast: Cast, business_rows: Rows) -> None:
    before = business_rows()

    report = load(
        "people",
        "email,name,account_code,unit_code,roles\nx@y.example,X,ACME,IT,viewer\n",
        cast.acme.user_admin,
    )

    assert [item[1] for item in refusals(report)] == ["account_code"]
    assert business_rows() == before


def test_a_name_that_another_account_keeps_is_not_changed_from_here(cast: Cast) -> None:
    email, name = cast.hanbit.buyer.email, cast.hanbit.buyer.name

    report = load(
        "people",
        f"email,name,account_code,unit_code,roles\n{email},Renamed,ACME,IT,viewer\n",
        cast.supplier.account_manager,
    )

    assert report.new == 1
    assert db.session.scalar(select(Person.name).where(Person.email == email)) == name


def test_assigned_accounts_follow_the_file(cast: Cast) -> None:
    load(
        "people",
        "email,account_code,unit_code,assigned_accounts\n"
        "manager@northwind.example,SUPPLIER,NORTHWIND,HANBIT\n",
    )

    held = db.session.scalars(
        select(AccountAssignment.account_id).where(
            AccountAssignment.membership_id == key_of(cast.supplier.account_manager)
        )
    ).all()
    assert held == [cast.hanbit.account_id]


@pytest.mark.usefixtures("world")
def test_access_groups_hand_their_assortments_to_the_catalogue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("portal.accounts.imports._hook", [])
    assigned: list[Any] = []
    set_assortments_hook(
        AssortmentsHook(
            known=lambda ids: {key: {"A", "B"} for key in ids},
            held=lambda ids: dict.fromkeys(ids, ("A",)),
            assign=assigned.append,
        )
    )

    report = load(
        "access-groups",
        "account_code,access_group_code,name,assortments\n"
        "ACME,OFFICE,Office,A\nACME,ENGINEERING,Engineering,B;A\nACME,FRESH,Fresh,B\n",
    )

    assert (report.new, report.changed, report.unchanged) == (1, 1, 1)
    assert [sorted(item.values()) for item in assigned] == [[("B",), ("B", "A")]]
    assert "A" in export("access-groups")


def _people(count: int) -> str:
    rows = (
        f"p{number}@acme.example,Person {number},ACME,IT,viewer,10,cfo@acme.example\n"
        for number in range(count)
    )
    return PEOPLE + "".join(rows)


@pytest.mark.usefixtures("world")
def test_people_are_imported_in_a_constant_number_of_reads(
    count_statements: Callable[[], Any],
) -> None:
    def reads(count: int) -> int:
        with count_statements() as counted:
            assert load("people", _people(count), dry_run=True).new == count
        return sum(1 for item in counted.statements if item.lstrip().upper().startswith("SELECT"))

    assert reads(5) == reads(200)
