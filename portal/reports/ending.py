"""Entitlements that end: which covered units lose their warranty or contract in the days ahead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload

from portal.db import db
from portal.policy import Actor, P
from portal.reports import figures as f
from portal.reports.asking import Askable, By, Wanted
from portal.reports.facts import Fact, group, in_group, passing, window_around
from portal.reports.fulfilment import list_facts
from portal.reports.marking import Belongs, Marker
from portal.reports.serving import GOODS, word_of
from portal.reports.shapes import Listing, Report, Section, Worked
from portal.service.assets import queries as assets
from portal.service.assets.models import Asset, Entitlement
from portal.service.assets.rules import AssetStatus, EntitlementKind
from portal.web.tables import Column


@dataclass(frozen=True, slots=True)
class EndingAsset:
    """A covered unit whose last entitlement ends in the days ahead."""

    asset: Asset
    last: Entitlement


def find_ending(actor: Actor, wanted: Wanted) -> list[Fact[EndingAsset]]:
    """Return the units in use whose cover ends within the days asked for."""
    on = assets.today(wanted.now)
    statement = (
        assets.visible_to(actor, P.SERVICE_REPORT_READ)
        .where(Asset.status != AssetStatus.RETIRED, assets.is_expiring(on, wanted.days))
        .options(
            joinedload(Asset.account),
            joinedload(Asset.product),
            joinedload(Asset.unit),
            joinedload(Asset.membership),
            selectinload(Asset.entitlements),
        )
        .order_by(Asset.id)
    )
    found = [
        EndingAsset(asset, max(asset.entitlements, key=lambda item: (item.valid_until, item.id)))
        for asset in db.session.scalars(statement)
    ]
    belongs = [_asset_belongs(each) for each in found]
    marker = Marker(belongs)
    facts = [
        Fact(
            datetime.combine(each.last.valid_until, time(), wanted.window.zone),
            marker.marks(own),
            each,
        )
        for each, own in zip(found, belongs, strict=True)
    ]
    return passing(facts, wanted)


def _asset_belongs(each: EndingAsset) -> Belongs:
    asset = each.asset
    return Belongs(
        account_id=asset.account_id,
        unit_id=asset.unit_id,
        person_id=asset.membership.person_id if asset.membership else None,
        category_id=asset.product.category_id,
        sku=asset.sku or asset.product.sku,
        further={By.COVER: word_of(each.last.kind), By.STATUS: word_of(asset.status)},
    )


def measure_ending(units: Sequence[EndingAsset]) -> dict[str, Any]:
    """Return the figures of units whose cover ends."""
    kinds = [each.last.kind for each in units]
    return {
        f.ASSETS_EXPIRING.key: len(units),
        f.ASSETS_IN_WARRANTY.key: sum(kind is EntitlementKind.WARRANTY for kind in kinds),
        f.ASSETS_IN_CONTRACT.key: sum(kind is EntitlementKind.CONTRACT for kind in kinds),
    }


def _work_ending(actor: Actor, wanted: Wanted) -> Worked:
    facts = find_ending(actor, wanted)
    rows = group(facts, wanted, window_around(facts, wanted.window), measure_ending)
    if wanted.by.step is None:
        rows.sort(key=lambda row: (-row.values["assets"], row.label))
    return Worked(
        figures=(f.ASSETS_EXPIRING, f.ASSETS_IN_WARRANTY, f.ASSETS_IN_CONTRACT),
        rows=rows,
        totals=measure_ending([fact.what for fact in facts]),
        charted=(f.ASSETS_EXPIRING,),
    )


def _list_ending(actor: Actor, wanted: Wanted) -> Listing:
    facts = find_ending(actor, wanted)
    chosen = in_group(facts, wanted, window_around(facts, wanted.window))
    chosen.sort(key=lambda fact: (fact.what.last.valid_until, fact.what.asset.tag_key))
    can_open = actor.can(P.ASSET_READ)
    columns: list[Column[Any]] = [
        Column(
            key="service_tag",
            label=_l("Service tag"),
            value=lambda row: row.asset.service_tag,
            url=lambda row: _asset_url(actor, row.asset) if can_open else "",
        ),
        Column(key="account", label=_l("Account"), value=lambda row: row.asset.account.code),
        Column(key="sku", label=_l("SKU"), value=lambda row: row.asset.sku),
        Column(key="name", label=_l("Product"), value=lambda row: row.asset.name),
        Column(
            key="unit",
            label=_l("Unit"),
            value=lambda row: row.asset.unit.code if row.asset.unit else "",
        ),
        Column(key="status", label=_l("Status"), value=lambda row: _(row.asset.status.label)),
        Column(
            key="delivered_on",
            label=_l("Delivered"),
            value=lambda row: row.asset.delivered_on,
            kind="day",
        ),
        Column(key="covered_by", label=_l("Covered by"), value=lambda row: _(row.last.kind.label)),
        Column(
            key="covered_until",
            label=_l("Covered until"),
            value=lambda row: row.last.valid_until,
            kind="day",
        ),
    ]
    shown = [column for column in columns if actor.is_supplier or column.key != "account"]
    return list_facts(chosen, shown)


def _asset_url(actor: Actor, asset: Asset) -> str:
    if actor.is_supplier:
        return url_for("assets.detail", tag=asset.service_tag, account=asset.account.code)
    return url_for("assets.detail", tag=asset.service_tag)


ENTITLEMENTS: Final = Report(
    name="entitlements",
    title=_l("Entitlements that end"),
    meaning=_l("Covered assets in use whose warranty or service contract ends in the days ahead."),
    section=Section.SERVICE,
    permission=P.SERVICE_REPORT_READ,
    askable=Askable(
        groupings=(By.MONTH, By.UNIT, *GOODS, By.COVER, By.PERSON, By.ACCOUNT),
        filters=(By.ACCOUNT, By.UNIT, By.CATEGORY, By.COVER),
        has_period=False,
        days=180,
    ),
    work=_work_ending,
    listing=_list_ending,
)
