"""Where lines go and what they are booked to: a line's own choice, else that of the head."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.accounts.models import Account, Address, CostCentre
from portal.accounts.queries import find_addresses, find_cost_centres, get_account_with_units
from portal.quotes.models import QuoteLine, QuoteRevision


@dataclass(frozen=True, slots=True)
class Places:
    """The account with its ship-to addresses and cost centres, by id, and the tree of its units."""

    account: Account
    addresses: Mapping[int, Address]
    cost_centres: Mapping[int, CostCentre]
    units: Mapping[int, int | None]

    def ship_to(self, revision: QuoteRevision, line: QuoteLine | None = None) -> Address | None:
        """Return where a line goes: its own address, else that of the head."""
        own = line.ship_to_address_id if line is not None else None
        return self.addresses.get(own or revision.ship_to_address_id or 0)

    def cost_centre(
        self, revision: QuoteRevision, line: QuoteLine | None = None
    ) -> CostCentre | None:
        """Return what a line is booked to: its own cost centre, else that of the head."""
        own = line.cost_centre_id if line is not None else None
        return self.cost_centres.get(own or revision.cost_centre_id or 0)


def load_places(account_id: int) -> Places:
    """Return the places of an account, in three statements."""
    account, units = get_account_with_units(account_id)
    return Places(
        account,
        {address.id: address for address in find_addresses(account_id, kind="ship")},
        {centre.id: centre for centre in find_cost_centres(account_id)},
        units,
    )


def address_plain(address: Address) -> dict[str, Any]:
    """Return an address as it is frozen with a revision."""
    return {
        "name": address.name,
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "region": address.region,
        "postcode": address.postcode,
        "country": address.country,
    }
