"""The demo's workshop: one repair under warranty on its way, one that waits for an approval."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from portal.db import db
from portal.demo.cast import Cast
from portal.policy import Actor
from portal.service.assets.models import Asset
from portal.service.assets.queries import today
from portal.service.assets.queries import visible_to as visible_assets
from portal.service.assets.rules import AssetStatus, cover_of
from portal.service.cases.actions import NewCase, open_case
from portal.service.cases.models import Case
from portal.service.cases.queries import visible_to
from portal.service.cases.rules import CaseKind
from portal.service.repairs.actions import Announcement, Words, announce_repair, take_step
from portal.service.repairs.models import Repair
from portal.service.repairs.parts import WantedPart, add_part
from portal.service.repairs.rules import Move, Way

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


def tell_repairs(now: datetime) -> None:
    """Bring what customers sent in through the workshop, each to another step."""
    acme, hanbit = Cast.acme, Cast.hanbit
    for case, way, begun in (
        (_first_repair(acme.buyer), Way.SEND_IN, now - 2 * DAY),
        (_first_repair(hanbit.buyer), Way.PICK_UP, now - 25 * HOUR),
    ):
        if case is not None:
            _announce(case, way, begun)
    case = _first_repair(acme.buyer)
    if case is not None:
        _until_parts(case.number, now - DAY)
    _old_one(acme.buyer, now)
    _sent_back(acme.buyer, now)


def _first_repair(actor: Actor) -> Case | None:
    statement = visible_to(actor).where(Case.kind == CaseKind.REPAIR, Case.asset_id.is_not(None))
    return db.session.scalar(statement.order_by(Case.id).limit(1))


def _announce(case: Case, way: Way, at: datetime) -> Repair:
    agent = Cast.supplier.service_agent
    wanted = Announcement(way=way, fault=case.subject, address=_address(case))
    return announce_repair(agent, case.number, wanted, key=f"demo-{case.number}", now=at)


def _address(case: Case) -> str:
    return "BER-IT" if case.account_id == Cast.acme.account_id else "SEL-SHIP"


def _until_parts(number: str, at: datetime) -> None:
    """Let a unit under warranty be diagnosed and its parts be reserved."""
    agent = Cast.supplier.service_agent
    repair = _step(agent, number, Move.RECEIVE, at, 1)
    repair = _step(
        agent, number, Move.DIAGNOSE, at + 3 * HOUR, repair.version,
        "The left hinge is broken at its screw. The drive has bad blocks, too: it is replaced.",
    )  # fmt: skip
    part = WantedPart(sku="SD-0002", quantity=Decimal(1))
    add_part(agent, number, part, key="demo-part-1", now=at + 4 * HOUR)


def _old_one(buyer: Actor, now: datetime) -> None:
    """Let a unit whose warranty is over need a part, which waits on a quote of its buyer."""
    asset = _find(buyer, now, is_covered=False)
    if asset is None:
        return
    agent = Cast.supplier.service_agent
    case = _open(buyer, asset, "Fan stops under load", now - 4 * DAY)
    repair = _announce(case, Way.SEND_IN, now - 4 * DAY + HOUR)
    repair = _step(agent, case.number, Move.RECEIVE, now - 2 * DAY, repair.version)
    _step(
        agent, case.number, Move.DIAGNOSE, now - 2 * DAY + 5 * HOUR, repair.version,
        "The bearing of the fan is worn. With a new power supply it runs again.",
    )  # fmt: skip
    for place, sku in enumerate(("PS-0001", "SV-0005")):
        part = WantedPart(sku=sku, quantity=Decimal(1))
        key = f"demo-part-2-{place}"
        add_part(agent, case.number, part, key=key, now=now - 2 * DAY + 6 * HOUR)


def _sent_back(buyer: Actor, now: datetime) -> None:
    """Let a repair end well."""
    asset = _find(buyer, now, is_covered=True)
    if asset is None:
        return
    agent = Cast.supplier.service_agent
    case = _open(buyer, asset, "Three keys stay down", now - 9 * DAY)
    repair = _announce(case, Way.SEND_IN, now - 9 * DAY + HOUR)
    repair = _step(agent, case.number, Move.RECEIVE, now - 7 * DAY, repair.version)
    repair = _step(
        agent, case.number, Move.DIAGNOSE, now - 7 * DAY + 2 * HOUR, repair.version,
        "Three keys stay down: the keyboard is replaced.",
    )  # fmt: skip
    part = WantedPart(sku="KB-0001", quantity=Decimal(1))
    key = "demo-part-3"
    repair = add_part(agent, case.number, part, key=key, now=now - 7 * DAY + 3 * HOUR).repair
    for move, at in ((Move.START, now - 6 * DAY), (Move.PASS, now - 6 * DAY + 4 * HOUR)):
        repair = _step(agent, case.number, move, at, repair.version)
    words = Words(
        note="Tested for six hours.", carrier="dhl", tracking_number="00340434161094015902"
    )
    take_step(
        agent, case.number, Move.RETURN, words, version=repair.version, now=now - 5 * DAY
    )  # fmt: skip


def _find(buyer: Actor, now: datetime, *, is_covered: bool) -> Asset | None:
    """Return a unit in use that the buyer may ask about, covered or not."""
    found: Sequence[Asset] = db.session.scalars(
        visible_assets(buyer).where(Asset.status == AssetStatus.IN_USE).order_by(Asset.id.desc())
    ).all()
    day = today(now - 9 * DAY)
    for asset in found:
        db.session.refresh(asset, ["entitlements"])
        if (
            cover_of(asset, day).is_covered is is_covered
            and cover_of(asset, today(now)).is_covered is is_covered
        ):
            return asset
    return None


def _open(buyer: Actor, asset: Asset, subject: str, at: datetime) -> Case:
    said = NewCase(
        kind=CaseKind.REPAIR,
        subject=subject,
        text="Please repair it; it can be sent in.",
        asset_tag=asset.service_tag,
    )
    return open_case(buyer, said, now=at)


def _step(
    agent: Actor, number: str, move: Move, at: datetime, version: int, note: str = ""
) -> Repair:
    return take_step(agent, number, move, Words(note=note), version=version, now=at)
