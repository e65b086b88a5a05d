"""Which columns the list of assets and its export show."""

from datetime import date

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.service.assets.models import Asset
from portal.service.assets.rules import Cover, SortBy, cover_of
from portal.web.tables import Column


def url_of(asset: Asset, *, is_supplier: bool) -> str:
    """Return the address of a unit; whoever sees several accounts is told which."""
    account = asset.account.code if is_supplier else None
    return url_for("assets.detail", tag=asset.service_tag, account=account)


def person_of(asset: Asset) -> str:
    """Return the name of whoever has the unit."""
    return asset.membership.person.name if asset.membership else ""


def cover_words(cover: Cover) -> str:
    """Return in a word what covers a unit."""
    return _(cover.kind.label) if cover.is_covered and cover.kind else _("not covered")


def columns_of(on: date, *, is_supplier: bool) -> tuple[Column[Asset], ...]:
    """Return the columns; ``on`` is the day by which cover is counted."""
    account: tuple[Column[Asset], ...] = (
        Column(key="account_code", label=_l("Account"), value=lambda asset: asset.account.code),
    )
    return (
        Column(
            key="service_tag",
            label=_l("Service tag"),
            value=lambda asset: asset.service_tag,
            sort=SortBy.TAG,
            url=lambda asset: url_of(asset, is_supplier=is_supplier),
        ),
        *(account if is_supplier else ()),
        Column(key="sku", label=_l("SKU"), value=lambda asset: asset.sku),
        Column(
            key="name", label=_l("Product"), value=lambda asset: asset.name, sort=SortBy.PRODUCT
        ),
        Column(
            key="status",
            label=_l("Status"),
            value=lambda asset: _(asset.status.label),
            sort=SortBy.STATUS,
        ),
        Column(
            key="unit",
            label=_l("Unit"),
            value=lambda asset: asset.unit.name if asset.unit else "",
        ),
        Column(key="person", label=_l("Person"), value=person_of),
        Column(key="place", label=_l("Room or desk"), value=lambda asset: asset.place),
        Column(
            key="delivered_on",
            label=_l("Delivered"),
            value=lambda asset: asset.delivered_on,
            kind="day",
            sort=SortBy.DELIVERED,
        ),
        Column(
            key="cover", label=_l("Cover"), value=lambda asset: cover_words(cover_of(asset, on))
        ),
        Column(
            key="entitlement_until",
            label=_l("Until"),
            value=lambda asset: cover_of(asset, on).until,
            kind="day",
            sort=SortBy.UNTIL,
        ),
        Column(key="order_number", label=_l("Order"), value=lambda asset: asset.order_number),
    )
