"""Who could approve: the members of one account, their units, managers and limits."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

ADMINISTRATOR: Final = "site-administrator"
Wanted = Callable[["Member"], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A membership as routes see it; an empty signing limit is 0 and ``unlimited`` beats it."""

    membership_id: int
    person_id: int
    email: str
    name: str
    unit_id: int | None
    roles: frozenset[str] = frozenset()
    signing_limit: Decimal | None = None
    unlimited: bool = False
    manager_id: int | None = None
    is_active: bool = True

    @property
    def limit(self) -> Decimal:
        """The amount up to which this member signs, ``Infinity`` where there is no end."""
        return Decimal("Infinity") if self.unlimited else self.signing_limit or Decimal(0)

    def covers(self, total: Decimal) -> bool:
        """Whether this member may sign for ``total``."""
        return self.limit >= total


def by_email(members: Iterable[Member]) -> tuple[Member, ...]:
    """Return each person once, first by e-mail; of several memberships the first given counts."""
    people: dict[int, Member] = {}
    for member in members:
        people.setdefault(member.person_id, member)
    return tuple(sorted(people.values(), key=lambda member: member.email))


@dataclass(frozen=True, slots=True)
class People:
    """Everybody of one account, active or not, and the tree of its units."""

    members: Sequence[Member]
    parents: Mapping[int, int | None] = field(default_factory=dict)
    cost_centre_owners: Mapping[str, int | None] = field(default_factory=dict)
    """Cost centre code -> person id of its owner."""

    def get(self, membership_id: int | None) -> Member | None:
        """Return one member, active or not."""
        return next((item for item in self.members if item.membership_id == membership_id), None)

    def units_upwards(self, unit_id: int | None) -> Iterator[int | None]:
        """Yield a unit, those above it, and ``None``: the account itself is above all units."""
        seen: set[int] = set()
        while unit_id is not None and unit_id not in seen:
            seen.add(unit_id)
            yield unit_id
            unit_id = self.parents.get(unit_id)
        yield None

    def holders(self, role: str, unit_id: int | None) -> tuple[Member, ...]:
        """Return the active holders of ``role`` in the nearest unit upwards that has one."""
        for unit in self.units_upwards(unit_id):
            found = [item for item in self._holders(role) if item.unit_id == unit]
            if found:
                return by_email(found)
        return ()

    def administrators(self) -> tuple[Member, ...]:
        """Return the account's active site administrators, wherever they sit."""
        return by_email(self._holders(ADMINISTRATOR))

    def persons(self, emails: Iterable[str], unit_id: int | None) -> tuple[Member, ...]:
        """Return the active members with these e-mail addresses."""
        wanted = {email.strip().lower() for email in emails}
        return self._active(unit_id, lambda item: item.email.lower() in wanted)

    def owners(self, cost_centres: Iterable[str], unit_id: int | None) -> tuple[Member, ...]:
        """Return the active owners of these cost centres."""
        wanted = {self.cost_centre_owners.get(code) for code in cost_centres} - {None}
        return self._active(unit_id, lambda item: item.person_id in wanted)

    def manager(self, member: Member | None) -> Member | None:
        """Return the manager of a member, active or not."""
        return None if member is None else self.get(member.manager_id)

    def managers_upwards(self, member: Member) -> Iterator[Member]:
        """Yield the managers of a member, one above the other, each once."""
        seen = {member.membership_id}
        above = self.manager(member)
        while above is not None and above.membership_id not in seen:
            seen.add(above.membership_id)
            yield above
            above = self.manager(above)

    def _holders(self, role: str) -> list[Member]:
        return [item for item in self.members if item.is_active and role in item.roles]

    def _active(self, unit_id: int | None, wanted: Wanted) -> tuple[Member, ...]:
        """Return who is wanted; of several memberships the one nearest to ``unit_id``."""
        near = list(self.units_upwards(unit_id))
        found = [item for item in self.members if item.is_active and wanted(item)]
        return by_email(
            sorted(
                found,
                key=lambda item: (
                    near.index(item.unit_id) if item.unit_id in near else len(near),
                    item.membership_id,
                ),
            )
        )
