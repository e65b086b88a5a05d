"""What must hold after every step: the rows are what the reference says, and refusals left none."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection

from portal.events.queries import verify_chains
from tests.proofs.machine.actions import Portal
from tests.proofs.machine.model import Model, Thing, current
from tests.proofs.machine.orders import figures

SCALE: Final = Decimal(10_000)
QUANTITY_SCALE: Final = 1_000

QUOTES: Final = """
select q.number, q.status, r.status, q.revision, q.version, r.lines_total, r.freight, r.net_total,
       r.gross_total, coalesce(r.extended_until, r.valid_until), r.content_hash, r.id
from quote q join quote_revision r on r.quote_id = q.id and r.number = q.revision
"""
LINES: Final = """
select q.number, l.line_id, l.sku, l.quantity, l.unit_price, l.line_total, l.seen_price
from quote q join quote_revision r on r.quote_id = q.id and r.number = q.revision
join quote_line l on l.revision_id = r.id
"""
RUNS: Final = """
select a.number, a.revision, a.state, a.id, a.content_hash, a.total,
       (select count(*) from decision d where d.run_id = a.id)
from approval_run a
"""
ORDERS: Final = """
select o.number, o.status, q.number, r.number, o.lines_total, o.freight, o.net_total,
       o.gross_total, o.purchase_order_number, o.content_hash, r.content_hash, a.state,
       a.content_hash
from purchase_order o join quote q on q.id = o.quote_id
join quote_revision r on r.id = o.revision_id join approval_run a on a.id = o.run_id
"""
ORDER_LINES: Final = """
select o.number, l.line_id, l.quantity, l.unit_price, l.shipped, l.cancelled, l.id, l.line_total
from purchase_order o join purchase_order_line l on l.order_id = o.id
"""


def amount(stored: int | None) -> Decimal | None:
    return None if stored is None else Decimal(stored) / SCALE


def instant(stored: Any) -> datetime | None:  # noqa: ANN401 - SQLite gives text
    if isinstance(stored, str):
        stored = datetime.fromisoformat(stored)
    assert stored is None or isinstance(stored, datetime)
    if stored is None or stored.tzinfo is not None:
        return stored
    return stored.replace(tzinfo=UTC)


@dataclass
class Rows:
    """The database beside the reference, read past the portal's own queries."""

    connection: Connection

    def read(self, statement: str) -> list[Any]:
        return list(self.connection.exec_driver_sql(statement))

    def compare(self, model: Model, portal: Portal) -> None:
        """Compare every quote, run and order with what the reference says."""
        self._quotes(model)
        self._runs(model, portal)
        if model.orders:
            self._orders(model, portal)

    def _quotes(self, model: Model) -> None:
        lines: dict[str, dict[int, Any]] = defaultdict(dict)
        for number, line_id, *rest in self.read(LINES):
            lines[number][line_id] = rest
        rows = self.read(QUOTES)
        assert {row[0] for row in rows} == set(model.quotes)
        for number, status, inner, revision, version, *figures_, until, _hash, _id in rows:
            quote = model.quotes[number]
            wanted = (quote["status"], quote["status"], quote["revision"], quote["version"])
            assert (status, inner, revision, version) == wanted, number
            _quote_lines(quote, lines[number])
            frozen = current(quote)
            if quote["submitted"] is not None:
                totals = [frozen[name] for name in ("lines_total", "freight", "net", "gross")]
                assert [amount(each) for each in figures_] == totals, number
                assert instant(until) == frozen["holds_until"], number

    def _runs(self, model: Model, portal: Portal) -> None:
        seen = {}
        for number, revision, state, key, content, total, votes in self.read(RUNS):
            run = model.quotes[number]["revisions"][revision]["run"]
            assert (state, votes) == (run["state"], len(run["votes"])), (number, revision)
            assert amount(total) == run["total"]
            seen[number, revision] = (key, content)
        portal.runs = seen
        assert len(seen) == sum(
            1 for quote in model.quotes.values() for each in quote["revisions"].values()
            if each["run"]
        )  # fmt: skip

    def _orders(self, model: Model, portal: Portal) -> None:
        lines: dict[str, dict[int, Any]] = defaultdict(dict)
        for number, line_id, *rest in self.read(ORDER_LINES):
            lines[number][line_id] = rest
            portal.order_lines[number, line_id] = rest[4]
        rows = self.read(ORDERS)
        assert [row[0] for row in sorted(rows)] == sorted(model.orders), "each order exists once"
        for number, status, quote, revision, *sums, po, content, of_revision, state, of_run in rows:
            order = model.orders[number]
            assert (status, quote, revision) == (
                order["status"], order["quote"], order["revision"]
            ), number  # fmt: skip
            totals = figures(order)
            wanted = [totals[name] for name in ("lines_total", "freight", "net", "gross")]
            assert [amount(each) for each in sums] == wanted, number
            assert po == order["po"]
            assert state == "approved", f"{number} has no approval"
            assert content == of_revision == of_run, f"{number} was approved with other content"
            _order_lines(order, lines[number])

    def sealed(self) -> tuple[Any, ...]:
        """Return the counters that every change of the business moves."""
        return tuple(self.read(COUNTERS)[0])

    def final_checks(self) -> None:
        """Look at what is too dear for every step: foreign rows, distinct approvers, the chains."""
        for what, statement in NEVER.items():
            assert self.read(statement) == [], what
        assert list(verify_chains()) == []


def _quote_lines(quote: Thing, rows: dict[int, Any]) -> None:
    number = quote["number"]
    assert set(rows) == set(quote["lines"]), number
    frozen = current(quote).get("lines") if quote["submitted"] is not None else None
    for key, (sku, quantity, price, total, seen) in rows.items():
        line = quote["lines"][key]
        assert (sku, quantity) == (line["sku"], line["quantity"] * QUANTITY_SCALE), (number, key)
        assert amount(seen) == line["seen"], (number, key)
        if frozen is not None:
            assert amount(price) == frozen[key]["price"], (number, key)
            assert amount(total) == frozen[key]["total"], (number, key)


def _order_lines(order: Thing, rows: dict[int, Any]) -> None:
    assert set(rows) == set(order["lines"]), order["number"]
    given_up = order["status"] in {"discarded", "cancelled", "declined"}
    for key, (quantity, price, shipped, cancelled, _id, _total) in rows.items():
        line = order["lines"][key]
        assert quantity == line["quantity"] * QUANTITY_SCALE
        assert amount(price) == line["price"], "an order keeps the price of its quote"
        assert shipped == line["shipped"] * QUANTITY_SCALE
        assert cancelled == (quantity if given_up else 0)


COUNTERS: Final = """
select (select coalesce(sum(sequence), 0) from event_head), (select count(*) from event),
       (select coalesce(sum(version), 0) from quote), (select count(*) from quote_line),
       (select coalesce(sum(quantity), 0) from quote_line),
       (select count(*) from decision), (select coalesce(sum(version), 0) from approval_run),
       (select count(*) from purchase_order), (select count(*) from purchase_order_line),
       (select count(*) from shipment), (select count(*) from price_entry),
       (select count(*) from price_assignment), (select count(*) from approval_policy),
       (select count(*) from membership_role), (select coalesce(sum(unit_id), 0) from membership),
       (select count(*) from membership where status = 'active'),
       (select count(*) from person where status = 'active'),
       (select coalesce(sum(last), 0) from number_counter)
"""

NEVER: Final = {
    "an order line of another quote or account": """
        select l.id from purchase_order_line l join purchase_order o on o.id = l.order_id
        where l.account_id <> o.account_id or l.quote_id <> o.quote_id""",
    "a decision by somebody of another account": """
        select d.id from decision d join membership m on m.id = d.membership_id
        join approval_run a on a.id = d.run_id
        where m.account_id <> a.account_id or d.account_id <> a.account_id""",
    "an order of another account than its quote": """
        select o.id from purchase_order o join quote q on q.id = o.quote_id
        join membership m on m.id = o.membership_id
        where o.account_id <> q.account_id or m.account_id <> q.account_id""",
    "an approval by a requester": """
        select d.id from decision d join approval_run a on a.id = d.run_id
        join quote_requester r on r.revision_id = a.subject_id and r.person_id = d.person_id""",
    "somebody who answered a step twice": """
        select step_id from decision group by step_id, person_id having count(*) > 1""",
    "a decision for other content": """
        select d.id from decision d join approval_run a on a.id = d.run_id
        where d.content_hash <> a.content_hash""",
    "lines that do not sum up": """
        select r.id from quote_revision r where r.submitted_at is not null and r.lines_total <>
        (select sum(l.line_total) from quote_line l where l.revision_id = r.id)""",
    "an ordered quote without its orders": """
        select q.id from quote q where q.status = 'ordered' and not exists
        (select 1 from purchase_order o where o.quote_id = q.id)""",
    "more ordered than quoted": """
        select q.id from quote q join quote_revision r on r.quote_id = q.id
        join quote_line l on l.revision_id = r.id and r.number = q.revision
        where l.quantity < (select coalesce(sum(x.quantity - x.cancelled), 0)
        from purchase_order_line x where x.quote_id = q.id and x.line_id = l.line_id)""",
    "a change of a quote without its event": """
        select q.id from quote q where q.version > 1 and not exists
        (select 1 from event e where e.kind = 'quote' and e.object_id = q.id)""",
}
