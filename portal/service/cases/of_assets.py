"""The cases of a unit, as the unit's own page shows them."""

from flask import url_for
from flask_babel import gettext as _

from portal.policy import Actor, Permission
from portal.service.assets.models import Asset
from portal.service.assets.telling import Linked
from portal.service.cases.queries import find_of_asset


def cases_of(actor: Actor, asset: Asset) -> list[Linked]:
    """Return the cases about a unit, as far as the actor sees them, newest first."""
    if not actor.can(Permission.CASE_READ):
        return []
    return [
        Linked(
            at=case.created_at,
            number=case.number,
            title=case.subject,
            url=url_for("cases.detail", number=case.number),
            state=_(case.status.label),
            tone=case.status.tone,
        )
        for case in find_of_asset(actor, asset.id)
    ]
