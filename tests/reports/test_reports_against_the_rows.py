"""Every report, for many roles, against a count from the bare rows: same groups, same figures."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.approvals.models import ApprovalRun, ApprovalStep
from portal.db import db
from portal.demo.cast import Cast
from portal.errors import NotAllowedError, NotFoundError
from portal.orders.models import Order, OrderLine
from portal.policy import P
from portal.quotes.models import Quote, QuoteRevision
from portal.reports.converting import Converter
from portal.reports.results import ReportResult
from portal.reports.running import REPORTS, get_report, list_rows, read_args, run_report
from portal.service.assets.models import Asset, Entitlement
from portal.service.cases.models import Case
from tests.reports import naive
from tests.reports.readers import MANY, READERS, Who, accounts_of, by_key, money_of, readers

NONE = Decimal(0)
pytestmark = pytest.mark.usefixtures("demo")


def sums(result: ReportResult) -> dict[str, naive.Totals]:
    saved = "saved" if result.name == "orders" else "discount"
    return {
        row.key: (
            row.values["orders"],
            row.values["lines"],
            row.values["net"],
            row.values["list"] or NONE,
            row.values[saved] or NONE,
        )
        for row in result.rows
        if row.values["lines"]
    }


@readers
@pytest.mark.parametrize("name", ["orders", "revenue"])
def test_what_was_ordered_is_what_the_lines_add_up_to(
    cast: Cast, now: datetime, name: str, who: str
) -> None:
    actor, report = READERS[who](cast), REPORTS[name]
    if not report.is_open_to(actor):
        with pytest.raises((NotAllowedError, NotFoundError)):
            run_report(actor, name, {}, now)
        return
    rows = naive.sold(actor, report.permission)
    today = naive.today(actor, now)
    counted = 0
    for account in accounts_of(actor):
        own = [row for row in rows if row.groups["account"] == account]
        year = naive.within_days(own, date(2025, 12, 1), today)
        for by in report.asked_by(actor).groupings:
            asked = {"by": by.value} | money_of(actor, account)
            result = run_report(actor, name, asked, now)

            assert sums(result) == naive.totals(year, by.value), (account, by)
            if result.totals:
                total = naive.totals(year, None)[""]
                assert result.totals.values["net"] == total[2]
                assert result.totals.values["orders"] == total[0]
                assert sum(row.values["net"] for row in result.rows) == total[2]
            counted += len(result.rows)
        ever = run_report(
            actor, name, {"by": "year", "period": "all"} | money_of(actor, account), now
        )
        assert sums(ever) == naive.totals(own, "year")
    assert counted or not rows


@pytest.mark.parametrize(
    ("by", "narrowed"),
    [("month", "category"), ("category", "cost-centre"), ("product", "category")],
)
def test_an_order_counts_once_in_the_total_however_many_groups_its_lines_are_in(
    cast: Cast, now: datetime, by: str, narrowed: str
) -> None:
    actor = cast.acme.admin
    rows = naive.sold(actor, P.ORDER_REPORT_READ)
    found = Counter(row.groups[narrowed] for row in rows)
    (text, _lines), *_others = found.most_common()
    kept = [row for row in rows if row.groups[narrowed] == text]

    result = run_report(actor, "orders", {"by": by, "period": "all", narrowed: text}, now)

    assert sums(result) == naive.totals(kept, by)
    assert result.totals is not None
    assert result.totals.values["orders"] == naive.totals(kept, None)[""][0]


@readers
def test_the_rows_behind_a_figure_add_up_to_it(cast: Cast, now: datetime, who: str) -> None:
    actor = READERS[who](cast)
    report = get_report(actor, "orders")
    for by in ("month", "unit", "category", "person"):
        asked = {"by": by} | money_of(actor, "ACME")
        for row in run_report(actor, "orders", asked, now).rows[:4]:
            wanted = read_args(actor, report, asked | {"key": row.key}, now)
            listing = list_rows(actor, report, wanted)
            lines = [shown.line for shown in listing.fetch(None, 0)]

            assert len(lines) == listing.total == row.values["lines"]
            assert sum((line.net for line in lines), NONE) == row.values["net"]
            assert len({(line.source, line.number) for line in lines}) == row.values["orders"]


def test_two_currencies_become_one_by_the_rates_that_the_page_states(
    cast: Cast, now: datetime
) -> None:
    auditor = cast.supplier.auditor
    result = run_report(auditor, "revenue", {"by": "account"}, now)
    report = get_report(auditor, "revenue")
    converter = Converter(read_args(auditor, report, {}, now))
    year = naive.within_days(
        naive.sold(auditor, P.SALES_REPORT_READ), date(2025, 12, 1), naive.today(auditor, now)
    )
    net: dict[str, Decimal] = {}
    for account in ("ACME", "HANBIT"):
        own = [row for row in year if row.groups["account"] == account]
        amount = sum((row.net for row in own), NONE)
        converted = converter.convert(amount, own[0].currency)
        assert converted is not None
        net[account] = converted

    assert {row.key: row.values["net"] for row in result.rows} == net
    assert result.totals is not None
    assert result.totals.values["net"] == sum(net.values())
    assert "1 EUR = " in " ".join(result.notes)


@readers
def test_open_and_late_lines_are_those_that_have_not_left(
    cast: Cast, now: datetime, who: str
) -> None:
    actor = READERS[who](cast)
    lines: Counter[str] = Counter()
    late: Counter[str] = Counter()
    value: dict[str, Decimal] = defaultdict(Decimal)
    orders = {order.id: order for order in db.session.scalars(select(Order))}
    for line in db.session.scalars(select(OrderLine)):
        order = orders[line.order_id]
        left = line.quantity - line.cancelled - line.shipped
        is_asked = actor.is_supplier is False or order.currency == "EUR"
        if order.status.value not in naive.WITH_SOMETHING_TO_SHIP or not left or not is_asked:
            continue
        if not naive.reaches(actor, P.ORDER_REPORT_READ, order):
            continue
        lines[line.sku] += 1
        late[line.sku] += naive.is_late(order, line, now)
        value[line.sku] += (line.unit_price * left).quantize(naive.DIGITS[order.currency])

    result = run_report(actor, "deliveries", {"by": "product"} | money_of(actor, "ACME"), now)

    assert by_key(result, "open_lines", "late_lines", "open_value") == {
        sku: (lines[sku], late[sku], value[sku]) for sku in lines
    }


@readers
def test_on_time_is_what_arrived_by_the_first_promise(cast: Cast, now: datetime, who: str) -> None:
    actor = READERS[who](cast)
    delivered: Counter[str] = Counter()
    on_time: Counter[str] = Counter()
    orders = {order.id: order for order in db.session.scalars(select(Order))}
    for line in db.session.scalars(select(OrderLine)):
        order = orders[line.order_id]
        valid = line.quantity - line.cancelled
        if order.status.value not in naive.PLACED or not valid or line.delivered != valid:
            continue
        if not naive.reaches(actor, P.ORDER_REPORT_READ, order):
            continue
        assert line.delivered_on is not None
        if line.first_promised_on is None or line.delivered_on < date(2025, 12, 1):
            continue
        delivered[line.sku] += 1
        on_time[line.sku] += line.delivered_on <= line.first_promised_on

    result = run_report(actor, "on-time", {"by": "product"}, now)

    assert by_key(result, "delivered", "on_time") == {
        sku: (delivered[sku], on_time[sku]) for sku in delivered
    }


@readers
def test_approval_steps_are_timed_from_opening_to_the_last_answer(
    cast: Cast, now: datetime, who: str
) -> None:
    actor = READERS[who](cast)
    runs = {run.id: run for run in db.session.scalars(select(ApprovalRun))}
    hours: dict[str, list[float]] = defaultdict(list)
    steps: Counter[str] = Counter()
    for step in db.session.scalars(select(ApprovalStep)):
        run = runs[step.run_id]
        if step.opened_at is None or run.kind != "quote":
            continue
        if not naive.reaches(actor, P.ORDER_REPORT_READ, run):
            continue
        steps[str(step.level)] += 1
        if step.finished_at is not None:
            hours[str(step.level)].append((step.finished_at - step.opened_at).seconds / 3600)

    result = run_report(actor, "approval-time", {"by": "level"}, now)

    assert by_key(result, "steps", "finished") == {
        level: (steps[level], len(hours[level])) for level in steps
    }
    for row in result.rows:
        if hours[row.key]:
            mean = sum(hours[row.key]) / len(hours[row.key])
            assert abs(float(row.values["hours_average"]) - mean) <= 0.05


@pytest.mark.parametrize(
    "who",
    [*MANY, "acme service contact", "service agent"],
)
def test_cases_are_counted_within_reach(cast: Cast, now: datetime, who: str) -> None:
    service: dict[str, Who] = {
        "acme service contact": lambda cast: cast.acme.service_contact,
        "service agent": lambda cast: cast.supplier.service_agent,
    }
    actor = (READERS | service)[who](cast)
    if not actor.can(P.SERVICE_REPORT_READ):
        with pytest.raises(NotAllowedError):
            run_report(actor, "cases", {}, now)
        return
    cases = [
        case
        for case in db.session.scalars(select(Case))
        if case.status.value != "merged" and naive.reaches(actor, P.SERVICE_REPORT_READ, case)
    ]
    unsolved = {"new", "open", "waiting for customer"}
    kinds = Counter(case.kind.value for case in cases)
    still = Counter(case.kind.value for case in cases if case.status.value in unsolved)

    result = run_report(actor, "cases", {"by": "kind"}, now)

    assert by_key(result, "cases", "open") == {kind: (kinds[kind], still[kind]) for kind in kinds}
    stars = [Decimal(case.stars) for case in cases if case.stars is not None]
    if stars and result.totals:
        mean = sum(stars) / len(stars)
        assert abs(result.totals.values["stars"] - mean) <= Decimal("0.05")
    report = get_report(actor, "cases")
    listing = list_rows(actor, report, read_args(actor, report, {}, now))
    assert {row.case.number for row in listing.fetch(None, 0)} == {case.number for case in cases}


@readers
def test_entitlements_that_end_are_those_of_covered_units_in_use(
    cast: Cast, now: datetime, who: str
) -> None:
    actor = READERS[who](cast)
    if not actor.can(P.SERVICE_REPORT_READ):
        return
    today = now.date()
    until: dict[int, list[tuple[date, date]]] = defaultdict(list)
    for held in db.session.scalars(select(Entitlement)):
        until[held.asset_id].append((held.valid_from, held.valid_until))
    tags = set()
    for asset in db.session.scalars(select(Asset)):
        windows = until[asset.id]
        is_covered = any(first <= today <= last for first, last in windows)
        ends = max((last for _first, last in windows), default=date.max)
        is_near = ends <= today + timedelta(days=180)
        is_counted = asset.status.value != "retired" and is_covered and is_near
        if is_counted and naive.reaches(actor, P.SERVICE_REPORT_READ, asset):
            tags.add(asset.service_tag)

    result = run_report(actor, "entitlements", {"by": "product"}, now)

    assert sum(row.values["assets"] for row in result.rows) == len(tags)
    report = get_report(actor, "entitlements")
    listing = list_rows(actor, report, read_args(actor, report, {}, now))
    assert {row.asset.service_tag for row in listing.fetch(None, 0)} == tags


@pytest.mark.parametrize("who", ["account manager", "account manager asia", "auditor"])
def test_the_funnel_counts_each_quote_at_every_stage_it_reached(
    cast: Cast, now: datetime, who: str
) -> None:
    actor = READERS[who](cast)
    quotes = [
        quote
        for quote in db.session.scalars(select(Quote))
        if quote.status.value != "discarded" and naive.reaches(actor, P.SALES_REPORT_READ, quote)
    ]
    ids = {quote.id for quote in quotes}
    revisions = db.session.scalars(select(QuoteRevision)).all()
    quote_of = {revision.id: revision.quote_id for revision in revisions}
    submitted = {row.quote_id for row in revisions if row.submitted_at is not None} & ids
    approved = {
        quote_of[run.subject_id]
        for run in db.session.scalars(select(ApprovalRun))
        if run.kind == "quote" and run.state == "approved"
    } & ids
    ordered = {
        order.quote_id
        for order in db.session.scalars(select(Order))
        if order.status.value not in {"draft", "discarded"}
    } & ids

    result = run_report(actor, "funnel", {"period": "all"}, now)

    assert [row.values["quotes"] for row in result.rows] == [
        len(ids),
        len(submitted),
        len(approved),
        len(ordered),
    ]
    assert len(ids) >= len(submitted) >= len(approved) >= len(ordered) > 0
    head = {change.figure.key: change.now for change in result.changes}
    first, last = result.rows[0], result.rows[-1]
    assert (head["quotes"], head["value"]) == (len(ids), first.values["value"])
    assert head["share_percent"] == last.values["share_percent"]


def test_accounts_are_ranked_by_their_own_orders_and_the_quiet_ones_named(
    cast: Cast, now: datetime
) -> None:
    auditor = cast.supplier.auditor
    rows = naive.sold(auditor, P.SALES_REPORT_READ)
    year = naive.within_days(rows, date(2025, 12, 1), now.date())
    last = {
        account: max(row.day for row in year if row.groups["account"] == account)
        for account in ("ACME", "HANBIT")
    }

    ranked = run_report(auditor, "accounts", {}, now)
    lately = run_report(auditor, "dormant", {"days": "90"}, now)
    later = run_report(auditor, "dormant", {"days": "90"}, now + timedelta(days=120))

    counted = naive.totals(year, "account")
    assert by_key(ranked, "orders", "days_since") == {
        account: (counted[account][0], (naive.today(auditor, now) - last[account]).days)
        for account in last
    }
    assert lately.rows == []
    assert {row.key for row in later.rows} == {"ACME", "HANBIT"}
