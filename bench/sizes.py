"""How large a world is: the release's figures, and any part of them."""

from dataclasses import asdict, dataclass, replace
from typing import Final

LINES_OF_AN_ORDER: Final = 5
ORDERS_OF_A_QUOTE: Final = 4
PEOPLE_OF_AN_ACCOUNT: Final = 5


@dataclass(frozen=True, slots=True)
class Size:
    """Rows of each kind."""

    products: int = 100_000
    in_large_category: int = 5_000
    accounts: int = 10_000
    lists: int = 3_000
    entries: int = 2_000_000
    orders: int = 1_000_000
    of_one_account: int = 10_000
    """Orders of the account that is measured."""

    @classmethod
    def of(cls, scale: float) -> "Size":
        """Return the release's size times ``scale``; the measured account keeps its orders."""
        whole = asdict(cls())
        part = cls(**{name: max(20, round(value * scale)) for name, value in whole.items()})
        return replace(
            part,
            lists=max(part.lists, 10),
            of_one_account=min(cls().of_one_account, part.orders // 2),
        )

    @property
    def smaller(self) -> "Size":
        """A world with a tenth of the products and a hundredth of the prices."""
        return replace(
            self,
            products=max(self.products // 10, 20),
            in_large_category=max(self.in_large_category // 10, 20),
            accounts=max(self.accounts // 10, 20),
            lists=max(self.lists // 10, 10),
            entries=max(self.entries // 100, 20),
            orders=20,
            of_one_account=10,
        )

    def __str__(self) -> str:
        lines = self.orders * LINES_OF_AN_ORDER
        return (
            f"{self.products:,} products, {self.accounts:,} accounts with"
            f" {self.accounts * PEOPLE_OF_AN_ACCOUNT:,} people, {self.lists:,} price lists with"
            f" {self.entries:,} entries, {self.orders:,} orders with {lines:,} lines"
        )
