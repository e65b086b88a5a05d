"""What a subject states about itself, so that rules can judge it without knowing what it is."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique


@unique
class Basis(StrEnum):
    """Which total a policy judges by."""

    NET = "net"
    GROSS = "gross"


def nothing_else(_days: int, _basis: Basis) -> Decimal:
    """Say that the requester has submitted nothing else."""
    return Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLine:
    """One line as conditions see it.

    ``category_paths`` holds the product's category and all those above it;
    ``off_contract`` says that the standard list decided the price.
    """

    sku: str
    category_paths: tuple[str, ...] = ()
    off_contract: bool = False
    list_price: Decimal | None = None
    unit_price: Decimal = Decimal(0)
    cost_centre: str | None = None
    ship_to_country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of one revision.

    Attributes:
        unit_id: The unit that the subject belongs to: its policy counts, its role holders approve.
        submitted_by: Membership that submits, or would.
        requester_person_ids: Everybody who created, changed or submitted the revision.
        net_total: With freight, in the account's currency.
        gross_total: ``None`` where tax is "as invoiced"; net is judged then.
        requester_total: The requester's other subjects submitted in the last days on a basis, those
            rejected, withdrawn or expired left out; without this one.
    """

    currency: str
    net_total: Decimal
    gross_total: Decimal | None = None
    unit_id: int | None = None
    submitted_by: int | None = None
    requester_person_ids: frozenset[int] = frozenset()
    lines: tuple[FactLine, ...] = ()
    requester_total: Callable[[int, Basis], Decimal] = nothing_else

    def total(self, basis: Basis) -> Decimal:
        """Return the total on a policy's basis."""
        if basis is Basis.GROSS and self.gross_total is not None:
            return self.gross_total
        return self.net_total

    @property
    def cost_centres(self) -> tuple[str, ...]:
        """Cost centre codes of the lines, each once, sorted."""
        return tuple(sorted({line.cost_centre for line in self.lines if line.cost_centre}))
