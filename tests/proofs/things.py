"""One of each kind of thing that has a life, made by the actions that make them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from portal.accounts.models import Address, CostCentre
from portal.catalog.models import Product
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.orders import answering, cancelling, delivering, proposing, shipping
from portal.orders.actions import Terms, convert_quote, order_quote
from portal.orders.models import Order
from portal.orders.progress import Packed, Promise
from portal.orders.queries import get_order
from portal.quotes import actions as quotes
from portal.quotes.edits import DraftEdits
from portal.quotes.models import Quote
from portal.quotes.queries import get_quote
from portal.service.assets.models import Asset
from portal.service.assets.rules import tag_key
from portal.service.cases.actions import NewCase, open_case
from portal.service.cases.models import Case, ServiceTeam
from portal.service.cases.rules import CaseKind, Cause, ComplaintCategory, Severity
from portal.service.cases.working import Assessment, assess_complaint, take_case
from portal.service.knowledge.actions import Draft, write_article
from portal.service.knowledge.rules import Text
from portal.service.repairs.actions import Announcement, Words, announce_repair, take_step
from portal.service.repairs.models import Repair
from portal.service.repairs.rules import Move as RepairMove
from portal.service.repairs.rules import Way

Things = Mapping[str, str]
"""What a row calls a thing -> how the portal calls it."""


class Maker:
    """Makes things of ACME's buyer."""

    def __init__(self, cast: Cast, now: datetime) -> None:
        self.cast, self.now, self.buyer = cast, now, cast.acme.buyer
        self.agent, self.desk = cast.supplier.service_agent, cast.supplier.order_desk
        self._count = 0

    def quotes(self) -> Things:
        """A draft, one that waits for people, and one that the policy approves by itself."""
        return {
            "draft": self._draft("MS-0002", 10).number,
            "waiting": self._submitted("LT-0001", 60).number,
            "approved": self._submitted("MS-0002", 10).number,
        }

    def orders(self) -> Things:
        """Orders as far as each of their steps needs them."""
        draft = self._submitted("MS-0002", 10)
        made = {
            "draft": convert_quote(
                self.buyer, draft.number, self._all(draft), key="d", now=self.now
            ).number
        }
        for name in ("placed", "proposed", "confirmed", "asked", "shipped", "delivered"):
            made[name] = self._placed().number
        self._propose(made["proposed"])
        for name in ("confirmed", "asked", "shipped", "delivered"):
            answering.confirm_order(self.desk, made[name], now=self.now)
        order = self._order(made["asked"])
        cancelling.request_cancellation(
            self.buyer, order.number, _one_of_each(order), reason="Too many.", now=self.now
        )
        for name in ("shipped", "delivered"):
            shipment = self._ship(made[name])
            if name == "delivered":
                delivering.mark_delivered(self.desk, made[name], shipment, now=self.now)
        return made

    def cases(self) -> Things:
        """A question, one that somebody took, a complaint, and one that was looked into."""
        with transaction():
            db.session.add(ServiceTeam(code="LIFE", name="Those who are told"))
        made = {
            name: self._case(kind).number
            for name, kind in {
                "": CaseKind.QUESTION,
                "another": CaseKind.QUESTION,
                "taken": CaseKind.QUESTION,
                "complaint": CaseKind.COMPLAINT,
                "assessed": CaseKind.COMPLAINT,
            }.items()
        }
        take_case(self.agent, made["taken"], now=self.now)
        take_case(self.agent, made["another"], now=self.now)
        version = db.session.scalars(select(Case.version).where(Case.number == made["assessed"]))
        found = Assessment(
            category=next(iter(ComplaintCategory)),
            severity=next(iter(Severity)),
            cause=next(iter(Cause)),
            follow_up_on=self.now.date() + timedelta(days=2),
        )
        assess_complaint(self.agent, made["assessed"], version.one(), found, now=self.now)
        return made

    def repairs(self) -> Things:
        """A repair whose unit is still on its way, and one whose unit is here."""
        made = {}
        for name, tag in (("awaited", "LIFE-1"), ("under way", "LIFE-2")):
            self._asset(tag)
            case = self._case(CaseKind.REPAIR, asset_tag=tag)
            wanted = Announcement(way=Way.SEND_IN, fault="Loose.", address="BER-IT")
            repair = announce_repair(self.buyer, case.number, wanted, key=tag, now=self.now)
            made[name] = repair.number
        here = db.session.scalars(select(Repair).where(Repair.number == made["under way"])).one()
        take_step(
            self.agent,
            db.session.get_one(Case, here.case_id).number,
            RepairMove.RECEIVE,
            Words(note="Here."),
            version=here.version,
            now=self.now,
        )
        return made

    def assets(self) -> Things:
        """A unit in use."""
        self._asset("LIFE-3")
        return {"": "LIFE-3"}

    def articles(self) -> Things:
        """An article that nobody has published."""
        draft = Draft(texts={"en": Text("A question", "An answer.")})
        return {"": write_article(self.agent, draft, now=self.now).number}

    def _draft(self, sku: str, quantity: int) -> Quote:
        quote = quotes.create_quote(self.buyer, self.now, title="A life")
        items = [(sku, Decimal(quantity), None)]
        quote = quotes.add_lines(self.buyer, quote.number, items, self.now)
        account = self.buyer.account_id
        places = DraftEdits(
            ship_to_address_id=db.session.scalar(
                select(Address.id).where(Address.account_id == account, Address.kind == "ship")
            ),
            cost_centre_id=db.session.scalar(
                select(CostCentre.id).where(CostCentre.account_id == account)
            ),
        )
        return quotes.save_draft(self.buyer, quote.number, quote.version, places, self.now)

    def _submitted(self, sku: str, quantity: int) -> Quote:
        quote = self._draft(sku, quantity)
        quotes.submit_quote(self.buyer, quote.number, quote.version, {}, self.now)
        return get_quote(self.buyer, quote.number)

    def _all(self, quote: Quote) -> dict[int, Decimal]:
        return {line.line_id: line.quantity for line in quote.current.lines}

    def _placed(self) -> Order:
        quote, self._count = self._submitted("MS-0002", 10), self._count + 1
        terms, key = Terms(purchase_order_number=f"PO-{self._count}"), f"placed-{self._count}"
        return order_quote(self.buyer, quote.number, self._all(quote), terms, key=key, now=self.now)

    def _order(self, number: str) -> Order:
        return get_order(self.desk, number)

    def _propose(self, number: str) -> None:
        later = (self.now + timedelta(days=40)).date()
        wanted = {
            line.id: proposing.Wanted(line.quantity, Promise(later))
            for line in self._order(number).lines
        }
        proposing.propose_change(self.desk, number, wanted, reason="Later.", now=self.now)

    def _ship(self, number: str) -> str:
        packed = {line.id: Packed(line.quantity) for line in self._order(number).lines}
        return shipping.ship_order(
            self.desk, number, packed, shipping.Parcel(), key=number, now=self.now
        ).number

    def _case(self, kind: CaseKind, *, asset_tag: str = "") -> Case:
        new = NewCase(kind=kind, subject="A life", text="It began.", asset_tag=asset_tag)
        return open_case(self.buyer, new, now=self.now)

    def _asset(self, tag: str) -> None:
        with transaction():
            product = db.session.scalars(select(Product).where(Product.sku == "LT-0001")).one()
            db.session.add(
                Asset(
                    account_id=self.buyer.account_id,
                    unit_id=self.buyer.unit_id,
                    membership_id=self.buyer.membership_id,
                    service_tag=tag,
                    tag_key=tag_key(tag),
                    product_id=product.id,
                    configuration={"sku": product.sku, "name": product.name, "attributes": {}},
                    delivered_on=date(2026, 1, 5),
                    created_at=self.now,
                    changed_at=self.now,
                )
            )


def _one_of_each(order: Order) -> dict[int, Decimal]:
    return {line.id: Decimal(1) for line in order.lines}
