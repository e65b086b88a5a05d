"""People who are in no database, for rules that only ask what somebody may do."""

from typing import Any

from portal.policy import Actor, Role, grants_of


def person(*roles: Role, is_supplier: bool, **marks: Any) -> Actor:  # noqa: ANN401 - fields of Actor
    """Return somebody with these roles; ``marks`` are further fields of `Actor`."""
    return Actor(
        person_id=1,
        membership_id=1,
        account_id=1,
        account_code="A",
        is_supplier=is_supplier,
        currency="EUR",
        locale="en",
        time_zone="UTC",
        roles=frozenset(roles),
        grants=grants_of(roles, is_supplier=is_supplier),
        **marks,
    )
