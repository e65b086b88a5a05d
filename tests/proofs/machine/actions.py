"""What a command of the machine is in the portal: one action, by an actor loaded anew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from portal.accounts.actions import activate_person, suspend_person
from portal.accounts.memberships import (
    activate_membership,
    change_membership,
    fingerprint,
    suspend_membership,
)
from portal.accounts.queries import load_actor, load_operator
from portal.accounts.rules import Rights
from portal.approvals.actions import decide
from portal.approvals.policy_import import import_policy_file
from portal.approvals.rules import Answer
from portal.catalog.pricing.actions import publish_list
from portal.catalog.pricing.assignment_imports import ASSIGNMENTS
from portal.catalog.pricing.entry_imports import ENTRIES
from portal.db import transaction
from portal.errors import DomainError
from portal.files.importing import Mode, run_import
from portal.files.reading import Table
from portal.orders import actions as orders
from portal.orders.progress import Packed
from portal.orders.shipping import Parcel, ship_order
from portal.policy import Actor
from portal.quotes import actions as quotes
from portal.quotes.edits import DraftEdits, LineEdit
from tests.proofs.machine.model import BERLIN, Command
from tests.proofs.machine.world import PEOPLE, Keys, policy_text

UTC_ZONE: Final = ZoneInfo("UTC")


class FileRefusedError(DomainError):
    """A file was read and refused as a whole; the report says why."""


@dataclass
class Portal:
    """The portal at its actions, with what its pages would name rows by."""

    keys: Keys
    runs: dict[tuple[str, int], tuple[int, str]] = field(default_factory=dict)
    """(quote, revision) -> id of its run and content hash."""
    order_lines: dict[tuple[str, int], int] = field(default_factory=dict)

    def perform(self, c: Command, now: datetime) -> tuple[str, str]:
        """Do it; return ("done", number of what was made) or (name of the refusal, "")."""
        if c.who == "worker":
            return "done", str(quotes.expire_quotes(now))
        if c.who == "operator":
            actor: Actor | None = load_operator("machine", "UTC")
        else:
            actor = load_actor(self.keys.members[c.who])
        if actor is None:
            return "nobody", ""
        try:
            made = DO[c.do](self, actor, c, now)
        except FileRefusedError:
            return "refused", ""
        except DomainError as refusal:
            return type(refusal).__name__, ""
        return "done", str(getattr(made, "number", ""))

    # --- quotes ---------------------------------------------------------------------------------

    def create(self, actor: Actor, _c: Command, now: datetime) -> object:
        return quotes.create_quote(actor, now)

    def add(self, actor: Actor, c: Command, now: datetime) -> object:
        items = [(sku, Decimal(quantity), None) for sku, quantity in c["items"]]
        return quotes.add_lines(actor, c.on, items, now)

    def save(self, actor: Actor, c: Command, now: datetime) -> object:
        if c["quantity"]:
            edits = DraftEdits(lines={c["line"]: LineEdit(quantity=Decimal(c["quantity"]))})
        else:
            edits = DraftEdits(removed=frozenset({c["line"]}))
        return quotes.save_draft(actor, c.on, c["version"], edits, now)

    def submit(self, actor: Actor, c: Command, now: datetime) -> object:
        return quotes.submit_quote(
            actor, c.on, c["version"], dict(c["accepted"]), now, shown_total=c["shown"]
        )

    def withdraw(self, actor: Actor, c: Command, now: datetime) -> object:
        return quotes.withdraw_quote(actor, c.on, now, c["revision"])

    def revise(self, actor: Actor, c: Command, now: datetime) -> object:
        return quotes.revise_quote(actor, c.on, now, c["revision"])

    def discard(self, actor: Actor, c: Command, now: datetime) -> object:
        return quotes.discard_quote(actor, c.on, now, c["version"])

    def extend(self, actor: Actor, c: Command, now: datetime) -> object:
        last_day = (c["until"] - timedelta(microseconds=1)).astimezone(BERLIN).date()
        return quotes.extend_quote(actor, c.on, last_day, revision=c["revision"], now=now)

    # --- approvals ------------------------------------------------------------------------------

    def decide(self, actor: Actor, c: Command, now: datetime) -> object:
        run, content = self.runs[c.on, c["revision"]]
        seen = content if c["is_fresh"] else "0" * 64
        return decide(actor, run, Answer(c["answer"]), c["comment"], seen, now)

    def policy(self, actor: Actor, c: Command, now: datetime) -> object:
        return _accepted(import_policy_file(actor, policy_text(c["policy"]), now))

    # --- people ---------------------------------------------------------------------------------

    def change(self, actor: Actor, c: Command, now: datetime) -> object:
        roles, unit, is_member = c["seen"]
        seen = fingerprint(self._rights(c.on, roles, unit), "active" if is_member else "suspended")
        rights = self._rights(c.on, c["roles"], c["unit"])
        return change_membership(actor, self.keys.members[c.on], rights, seen=seen, now=now)

    def _rights(self, name: str, roles: frozenset[str], unit: str) -> Rights:
        account, _unit, _roles, limit, manager = PEOPLE[name]
        return Rights(
            unit_id=self.keys.units[account, unit],
            access_group_id=None,
            roles=roles,
            signing_limit=None if limit is None else Decimal(limit),
            signs_unlimited=limit is None,
            manager_id=self.keys.members[manager] if manager else None,
        )

    def suspend(self, actor: Actor, c: Command, now: datetime) -> object:
        if c["whole"]:
            act = activate_person if c["back"] else suspend_person
            return act(actor, self.keys.persons[c.on], now=now)
        turn = activate_membership if c["back"] else suspend_membership
        return turn(actor, self.keys.members[c.on], now=now)

    # --- prices ---------------------------------------------------------------------------------

    def publish(self, actor: Actor, c: Command, now: datetime) -> object:
        """Draft the prices of one product by a file and publish them, both or neither."""
        rows = tuple((c["list"], c["sku"], str(least), price) for least, price in c["breaks"])
        table = Table(
            ("list_code", "sku", "min_qty", "price"), rows, tuple(range(2, 2 + len(rows)))
        )
        with transaction():
            _accepted(run_import(
                ENTRIES, table, actor=actor, mode=Mode.UPDATE, now=now, zone=UTC_ZONE
            ))  # fmt: skip
            return publish_list(actor, c["list"], now=now)

    def assign(self, actor: Actor, c: Command, now: datetime) -> object:
        table = Table(("list_code", "account_code"), (("DEAL", c.on),), (2,))
        return _accepted(run_import(
            ASSIGNMENTS, table, actor=actor, mode=Mode.REPLACE, now=now, zone=UTC_ZONE
        ))  # fmt: skip

    # --- orders ---------------------------------------------------------------------------------

    def convert(self, actor: Actor, c: Command, now: datetime) -> object:
        wanted = {line: Decimal(quantity) for line, quantity in c["quantities"]}
        return orders.convert_quote(actor, c.on, wanted, key=c["key"], now=now)

    def place(self, actor: Actor, c: Command, now: datetime) -> object:
        terms = orders.Terms(purchase_order_number=c["po"])
        return orders.place_order(actor, c.on, terms, key=c["key"], now=now)

    def discard_order(self, actor: Actor, c: Command, now: datetime) -> object:
        return orders.discard_order(actor, c.on, now=now)

    def cancel(self, actor: Actor, c: Command, now: datetime) -> object:
        return orders.cancel_order(actor, c.on, reason=c["reason"], now=now)

    def decline(self, actor: Actor, c: Command, now: datetime) -> object:
        return orders.decline_order(actor, c.on, reason=c["reason"], now=now)

    def confirm(self, actor: Actor, c: Command, now: datetime) -> object:
        return orders.confirm_order(actor, c.on, now=now)

    def ship(self, actor: Actor, c: Command, now: datetime) -> object:
        packed = {
            self.order_lines[c.on, line]: Packed(Decimal(quantity))
            for line, quantity in c["quantities"]
        }
        return ship_order(actor, c.on, packed, Parcel(), key=c["key"], now=now)


def _accepted(report: Any) -> Any:  # noqa: ANN401 - the report of any import
    if report.refused:
        raise FileRefusedError
    return report


DO: Final[Mapping[str, Callable[[Portal, Actor, Command, datetime], object]]] = {
    "create": Portal.create, "add": Portal.add, "save": Portal.save, "submit": Portal.submit,
    "withdraw": Portal.withdraw, "revise": Portal.revise, "discard": Portal.discard,
    "extend": Portal.extend, "decide": Portal.decide, "policy": Portal.policy,
    "change": Portal.change, "suspend": Portal.suspend, "publish": Portal.publish,
    "assign": Portal.assign, "convert": Portal.convert, "place": Portal.place,
    "discard-order": Portal.discard_order, "cancel": Portal.cancel, "decline": Portal.decline,
    "confirm": Portal.confirm, "ship": Portal.ship,
}  # fmt: skip
