"""Repairs, complaints and the backlog, for many roles, against a count from the bare rows."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from portal.accounts.models import Account, Membership, Unit
from portal.catalog.models import Category, Product
from portal.db import db
from portal.demo.cast import Cast
from portal.errors import NotAllowedError, NotFoundError
from portal.events.models import Event
from portal.orders.models import Order, OrderLine
from portal.policy import Actor, P
from portal.reports.results import ReportResult
from portal.reports.running import REPORTS, get_report, list_rows, read_args, run_report
from portal.service.assets.models import Asset
from portal.service.cases.actions import NewCase, Then, open_case, reply
from portal.service.cases.ending import close_case
from portal.service.cases.models import Case, ServiceTeam
from portal.service.cases.queries import get_case
from portal.service.cases.rules import CaseKind, Cause, ComplaintCategory, Severity
from portal.service.cases.working import Assessment, assess_complaint, follow_up
from tests.reports import naive
from tests.reports.readers import MANY, READERS, Who, accounts_of, by_key, money_of, readers

pytestmark = pytest.mark.usefixtures("demo")
OF_THE_SERVICE: dict[str, Who] = {
    "acme service contact": lambda cast: cast.acme.service_contact,
    "service agent": lambda cast: cast.supplier.service_agent,
}
service_readers = pytest.mark.parametrize("who", [*MANY, *OF_THE_SERVICE])
OFFICE = {
    "EUROPE": (ZoneInfo("Europe/Berlin"), {9, 10, 11, 12, 13, 14, 15, 16, 17}),
    "KOREA": (ZoneInfo("Asia/Seoul"), {9, 10, 11, 13, 14, 15, 16, 17}),
}
"""The hours in which the demo's teams work, Monday to Friday; no holiday is among our days."""
MINUTE = timedelta(minutes=1)


def reader(cast: Cast, who: str) -> Actor:
    return (READERS | OF_THE_SERVICE)[who](cast)


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def opened(actor: Actor, kind: CaseKind, when: datetime, sku: str = "", tag: str = "") -> str:
    said = NewCase(kind=kind, subject="Something", text="Look at it.", sku=sku, asset_tag=tag)
    return open_case(actor, said, now=when).number


@pytest.fixture
def repaired(cast: Cast) -> None:
    """Repairs that are over: over a week-end, over the end of summer time, with waiting, twice."""
    agent, buyer = cast.supplier.service_agent, cast.acme.buyer
    tag = db.session.scalars(
        select(Asset.service_tag)
        .where(Asset.account_id == buyer.account_id, Asset.unit_id == buyer.unit_id)
        .order_by(Asset.id)
    ).first()
    assert tag

    waited = opened(buyer, CaseKind.REPAIR, at(11, 6, 8, 30), tag=tag)
    reply(agent, waited, "Which key?", now=at(11, 9, 10), then=Then.ASK)
    reply(buyer, waited, "The left one.", now=at(11, 11, 12, 15))
    reply(agent, waited, "Done.", now=at(11, 12, 14), then=Then.RESOLVE)

    summer = opened(cast.acme.research_buyer, CaseKind.REPAIR, at(10, 23, 13), sku="LT-0003")
    reply(agent, summer, "We look at it.", now=at(10, 23, 14))
    reply(agent, summer, "Done.", now=at(10, 27, 9, 20), then=Then.RESOLVE)
    close_case(cast.acme.research_buyer, summer, now=at(10, 28, 9))

    korea = opened(cast.hanbit.buyer, CaseKind.REPAIR, at(11, 2, 0, 30), sku="MN-0004")
    reply(agent, korea, "끝났습니다.", now=at(11, 3, 5), then=Then.RESOLVE)

    twice = opened(cast.acme.shopper, CaseKind.REPAIR, at(9, 14, 7), sku="LT-0001")
    reply(agent, twice, "Done.", now=at(9, 15, 9), then=Then.RESOLVE)
    reply(cast.acme.shopper, twice, "It is loose again.", now=at(9, 17, 9))
    reply(agent, twice, "Done for good.", now=at(9, 18, 9), then=Then.RESOLVE)

    again = opened(cast.acme.buyer, CaseKind.REPAIR, at(9, 14, 7), sku="KB-0001")
    reply(agent, again, "Done.", now=at(9, 15, 9), then=Then.RESOLVE)
    reply(cast.acme.buyer, again, "It is not.", now=at(9, 17, 9))


@pytest.fixture
def complained(cast: Cast) -> None:
    """Complaints of both customers: grave and slight ones, followed up or not, some unread."""
    about, bad, why = ComplaintCategory, Severity, Cause
    grave = (about.PRODUCT, bad.CRITICAL, why.MANUFACTURER)
    slight = (about.PRODUCT, bad.MINOR, why.CUSTOMER)
    late = (about.DELIVERY, bad.MAJOR, why.CARRIER)
    dear = (about.INVOICE, bad.CRITICAL, why.OURS)
    for who, sku, day, found, is_followed in (
        (cast.acme.buyer, "LT-0001", at(11, 3, 9), grave, True),
        (cast.acme.buyer, "LT-0001", at(11, 4, 9), slight, False),
        (cast.acme.research_buyer, "MN-0004", at(10, 5, 9), late, True),
        (cast.hanbit.buyer, "MN-0004", at(10, 6, 2), dear, False),
        (cast.hanbit.fab_buyer, "", at(8, 6, 2), None, False),
    ):
        number = opened(who, CaseKind.COMPLAINT, day, sku=sku)
        if found is None:
            continue
        agent = cast.supplier.service_agent
        assessed = Assessment(
            category=found[0], severity=found[1], cause=found[2], follow_up_on=day.date()
        )
        version = get_case(agent, number).version
        assess_complaint(agent, number, version, assessed, now=day)
        if is_followed:
            follow_up(agent, number, now=day + timedelta(days=1))
        if found[1] is Severity.MINOR:
            reply(agent, number, "We are sorry.", now=day + timedelta(days=2), then=Then.RESOLVE)


def cases_of(actor: Actor, kind: str) -> list[Case]:
    return [
        case
        for case in db.session.scalars(select(Case))
        if case.kind.value == kind
        and case.status.value != "merged"
        and naive.reaches(actor, P.SERVICE_REPORT_READ, case)
    ]


class Groups:
    """Which groups of a report a case belongs to, from the bare rows."""

    def __init__(self, actor: Actor) -> None:
        self.zone = ZoneInfo(actor.time_zone)
        self.accounts = {row.id: row.code for row in db.session.scalars(select(Account))}
        self.units = {row.id: row for row in db.session.scalars(select(Unit))}
        self.people = {row.id: row.person_id for row in db.session.scalars(select(Membership))}
        self.paths = {row.id: row.path for row in db.session.scalars(select(Category))}
        self.products = {row.id: row for row in db.session.scalars(select(Product))}
        self.assets = {row.id: row.product_id for row in db.session.scalars(select(Asset))}
        self.teams = {row.id: row for row in db.session.scalars(select(ServiceTeam))}

    def of(self, case: Case, when: datetime) -> dict[str, str]:
        day = when.astimezone(self.zone).date()
        product = self.products.get(case.product_id or self.assets.get(case.asset_id or 0, 0))
        path = self.paths[product.category_id] if product and product.category_id else ""
        account = self.accounts[case.account_id]
        return {
            "month": f"{day.year}-{day.month:02d}",
            "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
            "year": str(day.year),
            "category": path.split("/", maxsplit=1)[0] or "-",
            "subcategory": path or "-",
            "product": product.sku if product else "-",
            "account": account,
            "unit": f"{account}/{self.units[case.unit_id].code}" if case.unit_id else "-",
            "person": str(self.people[case.membership_id]),
            "priority": case.priority.value,
            "status": case.status.value,
            "team": self.teams[case.team_id].code if case.team_id else "-",
            "complaint": case.complaint_category.value if case.complaint_category else "-",
            "severity": case.severity.value if case.severity else "-",
            "cause": case.cause.value if case.cause else "-",
        }


def by_group(groups: Iterable[tuple[str, Case]]) -> dict[str, list[Case]]:
    held: dict[str, list[Case]] = defaultdict(list)
    for key, case in groups:
        held[key].append(case)
    return held


def hours_worked(case: Case, office: str) -> Decimal:
    """Look at the wall once a minute, from the opening to the last resolution."""
    zone, hours = OFFICE[office]
    happened = {
        event.occurred_at: event.verb
        for event in db.session.scalars(
            select(Event)
            .where(Event.kind == "case", Event.object_id == case.id)
            .order_by(Event.occurred_at, Event.sequence)
        )
        if event.verb
        in {"case.asked", "case.replied", "case.resolved", "case.reopened", "case.closed"}
    }
    assert case.resolved_at is not None
    minutes, is_ours, moment = 0, True, case.created_at
    while moment < case.resolved_at:
        verb = happened.get(moment)
        if verb is not None:
            is_ours = verb in {"case.replied", "case.reopened"}
        wall = moment.astimezone(zone)
        minutes += is_ours and wall.weekday() < 5 and wall.hour in hours
        moment += MINUTE
    return Decimal(minutes) / 60


def is_about(figure: object, mean: Decimal) -> bool:
    return isinstance(figure, Decimal) and abs(figure - mean) <= Decimal("0.05")


def counted(result: ReportResult, figure: str) -> dict[str, object]:
    """Return the groups with something in them; time lines have their empty pieces besides."""
    return {row.key: row.values[figure] for row in result.rows if row.values[figure]}


@service_readers
@pytest.mark.usefixtures("demo", "repaired")
def test_time_to_repair_is_that_of_the_repairs_that_are_over(
    cast: Cast, now: datetime, who: str
) -> None:
    actor = reader(cast, who)
    if not actor.can(P.SERVICE_REPORT_READ):
        with pytest.raises(NotAllowedError):
            run_report(actor, "repair-time", {}, now)
        return
    cases = [case for case in cases_of(actor, "repair") if case.resolved_at is not None]
    groups = Groups(actor)
    took = {
        case.id: (
            hours_worked(case, groups.teams[case.team_id].calendar_code),
            Decimal((case.resolved_at - case.created_at).total_seconds()) / 86_400,
        )
        for case in cases
        if case.resolved_at and case.team_id
    }
    report = get_report(actor, "repair-time")

    for by in report.asked_by(actor).groupings:
        result = run_report(actor, "repair-time", {"by": by.value}, now)
        held = by_group(
            (groups.of(case, case.resolved_at)[by.value], case)
            for case in cases
            if case.resolved_at
        )

        assert counted(result, "repairs") == {key: len(own) for key, own in held.items()}, by
        for row in result.rows:
            own = [took[case.id] for case in held.get(row.key, [])]
            if not own:
                assert row.values["days"] is row.values["business_hours"] is None
                continue
            hours, days = zip(*own, strict=True)
            assert is_about(row.values["business_hours"], sum(hours) / len(own)), (by, row.key)
            assert is_about(row.values["days"], sum(days) / len(own)), (by, row.key)
            assert is_about(row.values["days_longest"], max(days)), (by, row.key)
    listing = list_rows(actor, report, read_args(actor, report, {}, now))
    shown = {row.case.number for row in listing.fetch(None, 0)}
    assert shown == {case.number for case in cases}
    assert len(shown) == {"auditor": 4, "acme buyer": 2}.get(who, len(shown))


@service_readers
@pytest.mark.usefixtures("demo", "complained")
def test_complaints_are_counted_by_what_they_are_about(cast: Cast, now: datetime, who: str) -> None:
    actor = reader(cast, who)
    if not actor.can(P.SERVICE_REPORT_READ):
        with pytest.raises(NotAllowedError):
            run_report(actor, "complaints", {}, now)
        return
    cases, groups, today = cases_of(actor, "complaint"), Groups(actor), naive.today(actor, now)
    report = get_report(actor, "complaints")

    for by in report.asked_by(actor).groupings:
        result = run_report(actor, "complaints", {"by": by.value}, now)
        held = by_group((groups.of(case, case.created_at)[by.value], case) for case in cases)

        figures = ["complaints", "open"]
        if actor.is_supplier:
            figures += ["severe", "follow_ups_due"]
        assert {figure.key for figure in result.figures} == set(figures)
        wanted = {
            key: (
                len(own),
                sum(case.status.value in {"new", "open", "waiting for customer"} for case in own),
                sum(
                    case.severity is not None and case.severity.value == "critical" for case in own
                ),
                sum(
                    case.follow_up_on is not None
                    and case.follow_up_on <= today
                    and case.followed_up_at is None
                    for case in own
                ),
            )[: len(figures)]
            for key, own in held.items()
        }
        shown = {key: row for key, row in by_key(result, *figures).items() if row[0]}
        assert shown == wanted, by
    listing = list_rows(actor, report, read_args(actor, report, {"by": "category"}, now))
    assert {row.case.number for row in listing.fetch(None, 0)} == {case.number for case in cases}
    assert len(cases) == {"auditor": 6, "acme buyer": 2}.get(who, len(cases))


@readers
def test_the_backlog_is_what_was_placed_and_has_not_left(
    cast: Cast, now: datetime, who: str
) -> None:
    actor = reader(cast, who)
    report = REPORTS["backlog"]
    if not report.is_open_to(actor):
        with pytest.raises((NotAllowedError, NotFoundError)):
            run_report(actor, "backlog", {}, now)
        return
    orders = {order.id: order for order in db.session.scalars(select(Order))}
    codes = {row.id: row.code for row in db.session.scalars(select(Account))}
    paths = {row.id: row.path for row in db.session.scalars(select(Category))}
    products = {
        row.id: paths[row.category_id] if row.category_id else ""
        for row in db.session.scalars(select(Product))
    }
    lines = [
        (orders[line.order_id], line)
        for line in db.session.scalars(select(OrderLine))
        if orders[line.order_id].status.value in naive.WITH_SOMETHING_TO_SHIP | naive.NOT_SENT_YET
        and line.quantity - line.cancelled > line.shipped
        and naive.reaches(actor, P.SALES_REPORT_READ, orders[line.order_id])
    ]
    found = 0
    for account in accounts_of(actor):
        own = [(order, line) for order, line in lines if codes[order.account_id] == account]
        for by in report.asked_by(actor).groupings:
            asked = {"by": by.value} | money_of(actor, account)
            held: dict[str, list[tuple[Order, OrderLine]]] = defaultdict(list)
            for order, line in own:
                path = products[line.product_id]
                key = {
                    "status": order.status.value,
                    "account": account,
                    "category": path.split("/", maxsplit=1)[0] or "-",
                    "subcategory": path or "-",
                    "product": line.sku,
                }[by.value]
                held[key].append((order, line))

            result = run_report(actor, "backlog", asked, now)

            figures = ("orders", "open_lines", "open_value", "late_lines", "oldest_days")
            assert by_key(result, *figures) == {
                key: backlog_of(rows, actor, now) for key, rows in held.items()
            }, (account, by)
            found += len(result.rows)
            if result.totals:
                values = result.totals.values
                assert tuple(values[name] for name in figures) == backlog_of(own, actor, now)
    assert bool(found) == bool(lines)
    assert who != "auditor" or {order.status.value for order, _line in lines} >= {"placed"}


def backlog_of(
    rows: list[tuple[Order, OrderLine]], actor: Actor, now: datetime
) -> tuple[int, int, Decimal, int, int]:
    zone = ZoneInfo(actor.time_zone)
    placed: list[date] = []
    value = Decimal(0)
    for order, line in rows:
        assert order.placed_at is not None
        placed.append(order.placed_at.astimezone(zone).date())
        left = line.quantity - line.cancelled - line.shipped
        value += (line.unit_price * left).quantize(naive.DIGITS[order.currency])
    return (
        len({order.id for order, _line in rows}),
        len(rows),
        value,
        sum(naive.is_late(order, line, now) for order, line in rows),
        (naive.today(actor, now) - min(placed)).days,
    )
