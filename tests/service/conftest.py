"""Cases, assets and teams that the tests of the service begin with."""

from datetime import date, datetime, timedelta

import pytest

from portal.catalog.models import Product
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.policy import Actor
from portal.service.assets.models import Asset, Entitlement
from portal.service.assets.rules import EntitlementKind, tag_key
from portal.service.cases.actions import NewCase, open_case
from portal.service.cases.models import Case
from portal.service.cases.rules import CaseKind
from portal.service.cases.working import merge_case
from tests.service.desk import OpenCase


@pytest.fixture
def opened(cast: Cast, now: datetime) -> OpenCase:
    """Return a function that opens a case of ACME's buyer, or of whoever is named."""

    def make(
        actor: Actor | None = None,
        *,
        key: str | None = None,
        message_id: str | None = None,
        at: datetime | None = None,
        **more: object,
    ) -> Case:
        said = {"kind": CaseKind.QUESTION, "subject": "A lamp", "text": "The lamp blinks.", **more}
        return open_case(
            actor or cast.acme.buyer,
            NewCase(**said),  # type: ignore[arg-type]  # named by the test
            now=at or now,
            key=key,
            message_id=message_id,
        )

    return make


@pytest.fixture
def merged(cast: Cast, now: datetime, opened: OpenCase) -> tuple[Case, Case]:
    """Return a case that was merged, and the one that it went into."""
    gone, target = opened(), opened(subject="The same lamp")
    merge_case(cast.supplier.service_agent, gone.number, target.number, now=now)
    return gone, target


@pytest.fixture
def laptop(cast: Cast, now: datetime) -> Asset:
    """Return a unit of ACME's IT department under warranty until the end of 2027."""
    buyer = cast.acme.buyer
    with transaction():
        product = db.session.query(Product).filter_by(sku="LT-0001").one()
        asset = Asset(
            account_id=buyer.account_id,
            unit_id=buyer.unit_id,
            membership_id=buyer.membership_id,
            service_tag="NB-7781",
            tag_key=tag_key("NB-7781"),
            product_id=product.id,
            configuration={"sku": product.sku, "name": product.name, "attributes": {}},
            delivered_on=date(2026, 1, 5),
            created_at=now - timedelta(days=300),
            changed_at=now - timedelta(days=300),
            entitlements=[
                Entitlement(
                    account_id=buyer.account_id,
                    kind=EntitlementKind.WARRANTY,
                    covers=["parts", "labour"],
                    valid_from=date(2026, 1, 5),
                    valid_until=date(2027, 12, 31),
                    created_at=now,
                )
            ],
        )
        db.session.add(asset)
    return asset
