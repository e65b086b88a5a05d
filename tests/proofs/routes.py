"""What stands behind the arguments of an address, so that a proof can walk the whole url map.

A page whose arguments are of a known kind is walked without a word here. A new kind of object
needs one row in `SAMPLES`; without it the permission matrix fails and names the address.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import Flask
from sqlalchemy import Table, select
from werkzeug.routing import Rule

from portal.db import Base, db
from portal.policy import P

_ARGUMENT: Final = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of an object that an address names after it: the first one that the object has."""

    table: str
    column: str
    parent: str
    """Column that holds the object's id."""
    missing: str | int

    @property
    def rows(self) -> Table:
        """Where such parts are kept."""
        return Base.metadata.tables[self.table]

    def of(self, sample: "Sample", named: str | int) -> str | int:
        """Return how the address names the part of an object, or what no object has."""
        whole, rows = sample.rows, self.rows
        statement = (
            select(rows.c[self.column])
            .join(whole, whole.c.id == rows.c[self.parent])
            .where(whole.c[sample.column] == named)
            .order_by(rows.c.id)
        )
        found: str | int | None = db.session.scalar(statement.limit(1))
        return self.missing if found is None else found


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One kind of object that an address names."""

    table: str
    column: str
    read: P
    missing: str | int
    owner: str | None = None
    unit: str | None = None
    group: str | None = None
    is_named_by_runs: bool = False
    is_private: bool = False
    """Whether nobody but the one whose it is reaches it, whatever they may do."""
    prefer: Mapping[str, str] | None = None
    """Column and value that the sample should have, so that its pages show as much as possible."""
    part: Part | None = None
    """What the sample has to have, since the address names it."""
    of: Mapping[str, str] | None = None
    """By account the e-mail of the person whose membership the sample is."""

    @property
    def rows(self) -> Table:
        """Where such objects are kept."""
        return Base.metadata.tables[self.table]

    @property
    def is_shared(self) -> bool:
        """Whether such an object belongs to no account."""
        return self.rows.info.get("scope") != "account"

    def find(self, account_code: str) -> tuple[int, str | int] | None:
        """Return (id, what the address says) of one that belongs to the account."""
        rows = self.rows
        statement = select(rows.c.id, rows.c[self.column]).order_by(rows.c.id).limit(1)
        if not self.is_shared:
            account = Base.metadata.tables["account"]
            own = rows.c[rows.info.get("account_column", "account_id")]
            wanted = select(account.c.id).where(account.c.code == account_code).scalar_subquery()
            statement = statement.where(own == wanted)
        if self.of is not None:
            people = Base.metadata.tables["person"]
            whose = select(people.c.id).where(people.c.email == self.of[account_code])
            statement = statement.where(rows.c.person_id == whose.scalar_subquery())
        if self.part is not None:
            statement = statement.where(rows.c.id.in_(select(self.part.rows.c[self.part.parent])))
        for name, value in (self.prefer or {}).items():
            found = db.session.execute(statement.where(rows.c[name] == value)).first()
            if found is not None:
                return found[0], found[1]
        found = db.session.execute(statement).first()
        return None if found is None else (found[0], found[1])


VIEWERS: Final = {"ACME": "viewer@acme.example", "HANBIT": "viewer@hanbit.example"}
"""Whose rights are the least, so that whoever may change people may change them."""

SAMPLES: Final[Mapping[str, Sample]] = {
    "/quotes/": Sample(
        table="quote",
        column="number",
        read=P.QUOTE_READ,
        missing="Q-999999",
        owner="membership_id",
        unit="unit_id",
        prefer={"status": "approved"},
    ),
    "/orders/past/": Sample(
        table="past_order",
        column="number",
        read=P.ORDER_READ,
        missing="NO-SUCH-ORDER",
        owner="membership_id",
        unit="unit_id",
    ),
    "/orders/": Sample(
        table="purchase_order",
        column="number",
        read=P.ORDER_READ,
        missing="O-999999",
        owner="membership_id",
        unit="unit_id",
        prefer={"status": "placed"},
    ),
    "/approvals/": Sample(
        table="approval_run",
        column="id",
        read=P.APPROVAL_READ,
        missing=999_999_999,
        unit="unit_id",
        is_named_by_runs=True,
        prefer={"state": "open"},
    ),
    "/catalog/": Sample(table="product", column="sku", read=P.CATALOG_READ, missing="NO-SUCH-SKU"),
    "/company/people/": Sample(
        table="membership",
        column="id",
        read=P.PERSON_READ,
        missing=999_999_999,
        group="access_group_id",
        of=VIEWERS,
    ),
    "/memberships/": Sample(
        table="membership",
        column="id",
        read=P.PERSON_READ,
        missing=999_999_999,
        is_private=True,
        of=VIEWERS,
    ),
    "/service/assets/": Sample(
        table="asset",
        column="service_tag",
        read=P.ASSET_READ,
        missing="NO-SUCH-TAG",
        owner="membership_id",
        unit="unit_id",
    ),
    "/service/articles/": Sample(
        table="article",
        column="number",
        read=P.ARTICLE_READ,
        missing="K-999999",
        prefer={"status": "published"},
    ),
    "/desk/accounts/": Sample(
        table="account", column="code", read=P.ACCOUNT_READ, missing="NOBODY"
    ),
    "/desk/catalog/": Sample(
        table="product", column="sku", read=P.CATALOG_READ, missing="NO-SUCH-SKU"
    ),
    "/desk/stock/": Sample(
        table="product", column="sku", read=P.CATALOG_READ, missing="NO-SUCH-SKU"
    ),
    "/desk/calendars/": Sample(
        table="business_calendar", column="code", read=P.SERVICE_SETUP, missing="NO-CALENDAR"
    ),
    "/desk/price-lists/": Sample(
        table="price_list", column="code", read=P.PRICE_LIST_READ, missing="NO-LIST"
    ),
    "/service/cases/": Sample(
        table="service_case",
        column="number",
        read=P.CASE_READ,
        missing="C-999999",
        owner="membership_id",
        unit="unit_id",
        prefer={"kind": "repair"},
    ),
    "/jobs/": Sample(
        table="job_request",
        column="job_id",
        read=P.JOB_READ,
        missing=999_999_999,
        is_private=True,
    ),
    "/reports/views/": Sample(
        table="saved_view",
        column="id",
        read=P.ORDER_REPORT_READ,
        missing=999_999_999,
        is_private=True,
    ),
    "/desk/jobs/": Sample(table="job", column="id", read=P.JOB_READ, missing=999_999_999),
    "/desk/service/teams/": Sample(
        table="service_team", column="code", read=P.SERVICE_SETUP, missing="NO-TEAM"
    ),
    "/desk/service/rules/": Sample(
        table="service_rule", column="number", read=P.SERVICE_SETUP, missing=999_999_999
    ),
    "/desk/service/answers/": Sample(
        table="canned_answer", column="id", read=P.SERVICE_SETUP, missing=999_999_999
    ),
}
"""Where the address stands before its first argument -> the kind of object."""

FURTHER: Final[Mapping[str, str | int | Part]] = {
    "/orders/*/shipments/": Part(
        table="shipment", column="number", parent="order_id", missing="S-999999"
    ),
    "/service/assets/*/entitlements/": 1,
    "/quotes/*/revisions/": 1,
    "/quotes/*/lines/": 1,
    "/desk/price-lists/*/versions/": 1,
    "/service/cases/*/attachments/": Part(
        table="case_attachment", column="position", parent="case_id", missing=99
    ),
}
"""What further arguments say, by the address before them."""

TOKENS: Final[Mapping[str, str]] = {
    "/a/": "x" * 43,
    "/invitation/": "x" * 43,
    "/password/": "x" * 43,
}
"""Addresses that name a secret: whoever holds it may come, so that they have tests of their own."""


def arguments(rule: Rule) -> list[tuple[str, str]]:
    """Return (address before the argument, its name) for each argument of a rule."""
    return [
        (_ARGUMENT.sub("*", rule.rule[: match.start()]), match.group(1))
        for match in _ARGUMENT.finditer(rule.rule)
    ]


def sample_of(rule: Rule) -> Sample | None:
    """Return the kind of object that a rule's first argument names, with the part it names."""
    if not rule.arguments:
        return None
    first, *further = arguments(rule)
    sample = SAMPLES.get(first[0])
    parts = [part for place, _ in further if isinstance(part := FURTHER.get(place), Part)]
    return replace(sample, part=parts[0]) if sample and parts else sample


def is_known(rule: Rule) -> bool:
    """Whether every argument of a rule can be filled in."""
    first, *further = arguments(rule) or [("", "")]
    return (not rule.arguments or first[0] in SAMPLES or first[0] in TOKENS) and all(
        place in FURTHER for place, _ in further
    )


def values(rule: Rule, named: str | int) -> dict[str, Any]:
    """Return the arguments of a rule, the first one naming an object."""
    filled: dict[str, Any] = {}
    for place, name in arguments(rule):
        filled[name] = FURTHER.get(place, TOKENS.get(place, named))
        if isinstance(filled[name], Part):
            filled[name] = filled[name].of(SAMPLES[arguments(rule)[0][0]], named)
    return filled


def samples(rule: Rule, account_code: str) -> dict[str, Any] | None:
    """Return the arguments that name an object of one account, or ``None`` where there is none."""
    sample = sample_of(rule)
    if sample is None or sample.is_shared:
        return None
    found = sample.find(account_code)
    return None if found is None else values(rule, found[1])


def address(app: Flask, rule: Rule, named: str | int) -> str:
    """Return the address of a rule whose first argument names an object."""
    return str(app.url_map.bind("localhost").build(rule.endpoint, values(rule, named)))


def starts(app: Flask) -> list[str]:
    """Return every page without arguments, where a crawl begins."""
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if not rule.arguments
        and "GET" in (rule.methods or ())
        and rule.endpoint != "accounts.sign_out"
    )
