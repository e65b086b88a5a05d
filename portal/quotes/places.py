"""Where lines go and what they are booked to: a line's own choice, else that of the head."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Integer,
    bindparam,
    func,
    literal,
    null,
    select,
    union_all,
)

from portal.accounts.models import Account, Address, CostCentre
from portal.accounts.queries import get_account_with_units
from portal.db import db
from portal.quotes.lines import AnyLine
from portal.quotes.models import QuoteRevision


class ShipTo(NamedTuple):
    """An address that goods can be shipped to."""

    id: int
    unit_id: int | None
    code: str
    name: str
    line1: str
    line2: str | None
    city: str
    region: str | None
    postcode: str | None
    country: str


class Centre(NamedTuple):
    """A cost centre that lines can be booked to."""

    id: int
    unit_id: int | None
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Places:
    """The account with its ship-to addresses and cost centres, by id, and the tree of its units."""

    account: Account
    addresses: Mapping[int, ShipTo]
    cost_centres: Mapping[int, Centre]
    units: Mapping[int, int | None]

    def ship_to(self, revision: QuoteRevision, line: AnyLine | None = None) -> ShipTo | None:
        """Return where a line goes: its own address, else that of the head."""
        own = line.ship_to_address_id if line is not None else None
        return self.addresses.get(own or revision.ship_to_address_id or 0)

    def cost_centre(self, revision: QuoteRevision, line: AnyLine | None = None) -> Centre | None:
        """Return what a line is booked to: its own cost centre, else that of the head."""
        own = line.cost_centre_id if line is not None else None
        return self.cost_centres.get(own or revision.cost_centre_id or 0)


def load_places(account_id: int) -> Places:
    """Return the places of an account, in two statements."""
    return places_of(*get_account_with_units(account_id))


def places_of(account: Account, units: Mapping[int, int | None]) -> Places:
    """Return the places of an account that is read already, in one statement."""
    rows = db.session.execute(select_places(), {"account": account.id})
    return make_places(account, units, rows)


def make_places(
    account: Account, units: Mapping[int, int | None], rows: Iterable[Sequence[Any]]
) -> Places:
    """Return the places of an account that `select_places` found."""
    addresses: dict[int, ShipTo] = {}
    centres: dict[int, Centre] = {}
    for is_address, _place, *columns in sorted(rows, key=itemgetter(1)):
        if is_address:
            addresses[columns[0]] = ShipTo(*columns)
        else:
            centres[columns[0]] = Centre(*columns[:4])
    return Places(account, addresses, centres, units)


@cache
def select_places() -> CompoundSelect[*tuple[Any, ...]]:
    """Select addresses and cost centres, each with its place in the order of their codes.

    What a cost centre has none of is null.
    """
    account: BindParameter[int] = bindparam("account")
    addresses = select(
        literal(1),
        func.row_number(type_=Integer).over(order_by=Address.code),
        *(getattr(Address, name) for name in ShipTo._fields),
    ).where(Address.account_id == account, Address.kind == "ship")
    centres = select(
        literal(0),
        func.row_number(type_=Integer).over(order_by=CostCentre.code),
        *(getattr(CostCentre, name) for name in Centre._fields),
        *[null()] * (len(ShipTo._fields) - len(Centre._fields)),
    ).where(CostCentre.account_id == account)
    return union_all(addresses, centres)


def address_plain(address: ShipTo) -> dict[str, Any]:
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
