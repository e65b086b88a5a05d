"""The small world of the state machine: two customers, a supplier, four products, two lists."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from portal.accounts.models import (
    Account,
    AccountAssignment,
    Address,
    CostCentre,
    Membership,
    MembershipRole,
    Person,
    Unit,
)
from portal.accounts.queries import load_operator
from portal.approvals.policy_import import import_policy_file
from portal.catalog.models import Product
from portal.catalog.pricing.models import (
    FreightRate,
    PriceAssignment,
    PriceEntry,
    PriceList,
    PriceListVersion,
    TaxRate,
)
from portal.db import db, transaction

BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)

ACCOUNTS: Final = {"ACME": "customer", "BETA": "customer", "NORTH": "supplier"}
UNITS: Final = {("ACME", "HQ"): None, ("ACME", "IT"): "HQ", ("ACME", "LAB"): "HQ",
                ("BETA", "HQ"): None, ("NORTH", "HQ"): None}  # fmt: skip

# name: account, unit, roles, signing limit (None: unlimited), manager
PEOPLE: Final[Mapping[str, tuple[str, str, tuple[str, ...], int | None, str | None]]] = {
    "fay": ("ACME", "HQ", ("approver", "viewer"), None, None),
    "adi": ("ACME", "HQ", ("site-administrator",), 0, "fay"),
    "pia": ("ACME", "HQ", ("site-buyer",), 0, "fay"),
    "ari": ("ACME", "IT", ("approver", "viewer"), 2_000, "fay"),
    "ola": ("ACME", "IT", ("approver",), 500, "ari"),
    "bea": ("ACME", "IT", ("buyer",), 0, "ari"),
    "sam": ("ACME", "IT", ("shopper",), 0, "ola"),
    "vic": ("ACME", "LAB", ("viewer",), 0, "fay"),
    "bob": ("BETA", "HQ", ("buyer",), 0, None),
    "ben": ("BETA", "HQ", ("site-administrator", "approver"), None, None),
    "max": ("NORTH", "HQ", ("account-manager",), 0, None),
    "pam": ("NORTH", "HQ", ("pricing-manager",), 0, None),
    "dan": ("NORTH", "HQ", ("order-desk",), 0, None),
}
MANAGED: Final = {"max": "ACME"}

# list: SKU: (from quantity, price)
FIRST_PRICES: Final[Mapping[str, Mapping[str, tuple[tuple[int, str], ...]]]] = {
    "STD": {"LT": ((1, "900.00"),), "MS": ((1, "25.50"), (10, "22.95")), "CB": ((1, "4.99"),)},
    "DEAL": {"LT": ((1, "850.00"), (3, "799.90"))},
}
SKUS: Final = ("LT", "MS", "CB", "QR")
"""The last one is in no list: its price is on request."""

FREIGHT: Final = ((0, "12.50"), (1_000, "0.00"))
"""Charge from a net value upwards."""
TAX_PERCENT: Final = 19


def _step(level: int, approvers: dict[str, Any], quorum: object) -> dict[str, Any]:
    return {"level": level, "approvers": approvers, "quorum": quorum}


def _rule(number: int, over: int, *steps: dict[str, Any]) -> dict[str, Any]:
    when = {"total_over": f"{over}.00"}
    return {"number": number, "name": f"Above {over}", "when": when, "steps": list(steps)}


APPROVER: Final = {"role": "approver"}
THE_HEAD: Final = {"persons": ["fay@acme.example"]}
POLICIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "plain": {
        "signing_limits": "off",
        "rules": [_rule(10, 100, _step(1, APPROVER, "any")),
                  _rule(20, 2000, _step(2, THE_HEAD, "all"))],
    },
    "two": {"signing_limits": "off", "rules": [_rule(10, 50, _step(1, APPROVER, 2))]},
    "all": {
        "signing_limits": "off",
        "rules": [_rule(10, 20, _step(1, {"manager": True}, "any"),
                        _step(2, APPROVER, "all"))],
    },
    "signed": {"signing_limits": "required", "rules": [_rule(10, 20, _step(1, APPROVER, "any"))]},
    "free": {"signing_limits": "off", "rules": [_rule(10, 900_000, _step(1, APPROVER, "any"))]},
}  # fmt: skip
"""What ACME's administrator may put in force; BETA has none, so that its administrator decides."""
FIRST_POLICY: Final = "plain"


def policy_text(name: str, account: str = "ACME") -> str:
    """Return a policy as its file."""
    return json.dumps({"account_code": account, **POLICIES[name]})


@dataclass(frozen=True)
class Keys:
    """How the rows of the world are called inside the database."""

    accounts: Mapping[str, int]
    units: Mapping[tuple[str, str], int]
    members: Mapping[str, int]
    persons: Mapping[str, int]


def email_of(name: str) -> str:
    return f"{name}@{PEOPLE[name][0].lower()}.example"


def build() -> Keys:
    """Fill an empty database with the world."""
    with transaction():
        accounts = {code: _account(code, kind) for code, kind in ACCOUNTS.items()}
        units: dict[tuple[str, str], int] = {}
        for (code, unit), above in UNITS.items():
            parent = units[code, above] if above else None
            units[code, unit] = _added(
                Unit(account_id=accounts[code], code=unit, name=unit, parent_id=parent)
            )
        members: dict[str, int] = {}
        persons: dict[str, int] = {}
        for name, (code, unit, roles, limit, manager) in PEOPLE.items():
            person = Person(email=email_of(name), name=name, status="active", password_hash="!")
            persons[name] = _added(person)
            member = Membership(
                person_id=persons[name], account_id=accounts[code], unit_id=units[code, unit],
                signing_limit=None if limit is None else Decimal(limit),
                signs_unlimited=limit is None, manager_id=members[manager] if manager else None,
            )  # fmt: skip
            members[name] = _added(member)
            for role in roles:
                db.session.add(
                    MembershipRole(
                        membership_id=members[name], account_id=accounts[code], role=role
                    )
                )
        for name, code in MANAGED.items():
            db.session.add(
                AccountAssignment(membership_id=members[name], account_id=accounts[code])
            )
        _catalogue(accounts)
    operator = load_operator("machine", "UTC")
    report = import_policy_file(operator, policy_text(FIRST_POLICY), BEGINNING)
    assert report.refused == ()
    return Keys(accounts, units, members, persons)


def _added(row: Any) -> int:  # noqa: ANN401 - a row of any table
    db.session.add(row)
    db.session.flush()
    return int(row.id)


def _account(code: str, kind: str) -> int:
    key = _added(
        Account(
            code=code, kind=kind, name=code, country="DE", currency="EUR",
            time_zone="Europe/Berlin", quote_valid_days=5, purchase_order_number="optional",
            purchase_order_duplicates="refuse",
        )
    )  # fmt: skip
    if kind == "customer":
        db.session.add(
            Address(account_id=key, code="MAIN", kind="ship", name=code, line1="Street 1",
                    city="Berlin", postcode="10115", country="DE")
        )  # fmt: skip
        db.session.add(CostCentre(account_id=key, code="1000", name="General"))
    return key


def _catalogue(accounts: Mapping[str, int]) -> None:
    products = {sku: _added(Product(sku=sku, name=sku, uom="EA", tax_category="S")) for sku in SKUS}
    for code, prices in FIRST_PRICES.items():
        kind = "standard" if code == "STD" else "list"
        key = _added(PriceList(code=code, name=code, currency="EUR", kind=kind))
        version = _added(
            PriceListVersion(list_id=key, number=1, published_at=BEGINNING, in_force_from=BEGINNING)
        )
        for sku, breaks in prices.items():
            for least, price in breaks:
                db.session.add(
                    PriceEntry(version_id=version, product_id=products[sku], uom="EA",
                               min_quantity=Decimal(least), kind="price", value=Decimal(price))
                )  # fmt: skip
        if code == "DEAL":
            db.session.add(
                PriceAssignment(list_id=key, account_id=accounts["ACME"], valid_from=BEGINNING)
            )
    for least, charge in FREIGHT:
        db.session.add(
            FreightRate(country="DE", currency="EUR", net_from=Decimal(least),
                        charge=Decimal(charge))
        )  # fmt: skip
    db.session.add(TaxRate(country="DE", tax_category="S", rate=Decimal(TAX_PERCENT)))
