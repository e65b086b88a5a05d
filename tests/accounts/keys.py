"""Ids of people who certainly have them: everybody of the cast does, only the operator has none."""

from portal.policy import Actor


def key_of(actor: Actor) -> int:
    assert actor.membership_id is not None
    return actor.membership_id


def person_of(actor: Actor) -> int:
    assert actor.person_id is not None
    return actor.person_id
