"""Accounts by what they order: recency, frequency and value, and those that have gone quiet."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from flask import url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.accounts.models import Account
from portal.db import db
from portal.policy import Actor, P
from portal.reports import figures as f
from portal.reports.adding import Total
from portal.reports.asking import Askable, By, Wanted
from portal.reports.converting import Converter
from portal.reports.naming import name_accounts
from portal.reports.ordered import ordered
from portal.reports.periods import FIRST_DAY, Period, Window
from portal.reports.results import ResultRow
from portal.reports.sales import Grouper
from portal.reports.shapes import Listing, Report, Section, Worked
from portal.reports.spending import list_lines
from portal.scope import within
from portal.web.tables import Column


@dataclass(slots=True)
class Custom:
    """What one account ordered, in the report's currency."""

    orders: int = 0
    net: Decimal = f.NONE
    last_at: datetime | None = None

    def add(self, total: Total, net: Decimal | None) -> None:
        """Add what was ordered in one currency."""
        self.orders += total.orders
        self.net += net or f.NONE
        self.last_at = total.last_at if self.last_at is None else max(self.last_at, total.last_at)


def find_customs(actor: Actor, wanted: Wanted, converter: Converter) -> dict[int, Custom]:
    """Return what each account ordered in the period, by account id."""
    source = ordered(actor, P.SALES_REPORT_READ, wanted)
    conditions = Grouper(source.rows).conditions(wanted)
    found: dict[int, Custom] = defaultdict(Custom)
    for total in source.totals(conditions, source.rows.c.account_id):
        found[total.raw].add(total, converter.convert(total.net, total.currency))
    return dict(found)


def days_since(last_at: datetime, window: Window) -> int:
    """Return how many days before the end of the period an order was placed."""
    return (window.last - window.day_of(last_at)).days


def score(customs: Mapping[int, Custom], window: Window) -> list[ResultRow]:
    """Return one row for each account with its three scores, best first."""
    ids = sorted(customs)
    held = [customs[account_id] for account_id in ids]
    since = [days_since(each.last_at, window) for each in held if each.last_at is not None]
    recency = f.fifths(since, is_high_good=False)
    frequency = f.fifths([each.orders for each in held])
    value = f.fifths([each.net for each in held])
    names = name_accounts(ids)
    rows = [
        ResultRow(
            names[account_id].key,
            names[account_id].label,
            {
                "days_since": since[place],
                "orders": held[place].orders,
                "net": held[place].net,
                "recency_score": recency[place],
                "frequency_score": frequency[place],
                "value_score": value[place],
            },
        )
        for place, account_id in enumerate(ids)
    ]
    rows.sort(key=lambda row: (-_sum_of_scores(row), -row.values["net"], row.label))
    return rows


def _sum_of_scores(row: ResultRow) -> int:
    return sum(row.values[f"{name}_score"] for name in ("recency", "frequency", "value"))


def _work_scores(actor: Actor, wanted: Wanted) -> Worked:
    converter = Converter(wanted)
    customs = find_customs(actor, wanted, converter)
    rows = score(customs, wanted.window)
    return Worked(
        figures=(
            f.RECENCY,
            f.ORDERS,
            f.REVENUE,
            f.SCORE_RECENCY,
            f.SCORE_FREQUENCY,
            f.SCORE_VALUE,
        ),
        rows=rows,
        totals={
            "orders": sum(row.values["orders"] for row in rows),
            "net": sum((row.values["net"] for row in rows), f.NONE),
        },
        notes=converter.notes,
        charted=(f.REVENUE,),
    )


def _listing(actor: Actor, wanted: Wanted) -> Listing:
    return list_lines(actor, wanted, P.SALES_REPORT_READ)


ACCOUNTS: Final = Report(
    name="accounts",
    title=_l("Accounts by recency, frequency and value"),
    meaning=_l("Who ordered in the period: how lately, how often and for how much."),
    section=Section.SALES,
    permission=P.SALES_REPORT_READ,
    askable=Askable(groupings=(By.ACCOUNT,), filters=(By.CATEGORY,)),
    work=_work_scores,
    listing=_listing,
    is_supplier_only=True,
    has_money=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dormant:
    """An active account that has not ordered for a while, or never did."""

    account_id: int
    code: str
    name: str
    last_on: date | None
    days_since: int | None
    net_before: Decimal | None


def find_dormant(actor: Actor, wanted: Wanted, converter: Converter) -> list[Dormant]:
    """Return the active customers without an order in the days asked for, the quietest last.

    Those that never ordered come first.
    """
    accounts = db.session.execute(
        select(Account.id, Account.code, Account.name)
        .where(
            within(actor, P.SALES_REPORT_READ, account=Account.id),
            Account.kind == "customer",
            Account.status == "active",
        )
        .order_by(Account.code)
    ).all()
    ever = replace(
        wanted, window=replace(wanted.window, first=FIRST_DAY), period=Period.ALL, filters={}
    )
    source = ordered(actor, P.SALES_REPORT_READ, ever)
    conditions = Grouper(source.rows).conditions(ever)
    customs: dict[int, Custom] = defaultdict(Custom)
    for total in source.totals(conditions, source.rows.c.account_id):
        customs[total.raw].add(total, converter.convert(total.net, total.currency))
    limit = wanted.today - timedelta(days=wanted.days)
    found = [
        _dormant(account_id, code, name, customs.get(account_id), wanted)
        for account_id, code, name in accounts
    ]
    return sorted(
        (each for each in found if each.last_on is None or each.last_on <= limit),
        key=lambda each: (each.days_since is not None, -(each.days_since or 0), each.code),
    )


def _dormant(
    account_id: int, code: str, name: str, custom: Custom | None, wanted: Wanted
) -> Dormant:
    last_at = custom.last_at if custom else None
    last_on = None if last_at is None else wanted.window.day_of(last_at)
    return Dormant(
        account_id=account_id,
        code=code,
        name=name,
        last_on=last_on,
        days_since=None if last_on is None else (wanted.today - last_on).days,
        net_before=custom.net if custom else None,
    )


def _work_dormant(actor: Actor, wanted: Wanted) -> Worked:
    converter = Converter(wanted)
    found = find_dormant(actor, wanted, converter)
    rows = [
        ResultRow(
            each.code,
            f"{each.code} – {each.name}",
            {"days_since": each.days_since, "net_before": each.net_before},
        )
        for each in found
    ]
    return Worked(
        figures=(f.RECENCY, f.EARLIER_NET),
        rows=rows,
        totals={
            "days_since": None,
            "net_before": sum((each.net_before or f.NONE for each in found), f.NONE),
        },
        notes=converter.notes,
        charted=(f.EARLIER_NET,),
    )


def _list_dormant(actor: Actor, wanted: Wanted) -> Listing:
    found = [
        each
        for each in find_dormant(actor, wanted, Converter(wanted))
        if wanted.key in {None, each.code}
    ]
    can_open = actor.can(P.ACCOUNT_READ)
    columns: list[Column[Any]] = [
        Column(
            key="account",
            label=_l("Account"),
            value=lambda row: row.code,
            url=lambda row: url_for("desk_accounts.detail", code=row.code) if can_open else "",
        ),
        Column(key="name", label=_l("Name"), value=lambda row: row.name),
        Column(key="last_on", label=_l("Last order"), value=lambda row: row.last_on, kind="day"),
        Column(
            key="days_since",
            label=_l("Days since last order"),
            value=lambda row: row.days_since,
            kind="number",
        ),
    ]

    def fetch(limit: int | None, offset: int) -> Sequence[Dormant]:
        return found[offset : None if limit is None else offset + limit]

    return Listing(len(found), columns, fetch)


DORMANT: Final = Report(
    name="dormant",
    title=_l("Dormant accounts"),
    meaning=_l(
        "Active accounts without an order in the days asked for, the longest silence first."
    ),
    section=Section.SALES,
    permission=P.SALES_REPORT_READ,
    askable=Askable(groupings=(By.ACCOUNT,), has_period=False, days=90),
    work=_work_dormant,
    listing=_list_dormant,
    is_supplier_only=True,
    has_money=True,
)
