"""Life cycles: a state is found by its value, a step is taken from its own states alone."""

from enum import unique

import pytest

from portal.errors import NotAllowedError
from portal.lifecycle import IllegalMoveError, State, Step
from portal.policy import Actor, Permission


@unique
class Light(State):
    """A lamp."""

    OFF = "off", "not shining", "idle"
    ON = "on", "shining", "ok"


@unique
class Turn(Step):
    """What is done to a lamp."""

    ON = ({Light.OFF}, Light.ON, Permission.QUOTE_SAVE)
    FAIL = ({Light.ON}, Light.OFF, None)


def actor(*held: Permission) -> Actor:
    return Actor(
        person_id=1,
        membership_id=1,
        account_id=1,
        account_code="A",
        is_supplier=False,
        currency="EUR",
        locale="en",
        time_zone="UTC",
        grants=dict.fromkeys(held),  # type: ignore[arg-type]  # how far it reaches does not matter
    )


def test_a_state_is_its_value_with_a_word_and_a_shape() -> None:
    assert Light("on") is Light.ON
    assert f"{Light.ON}" == "on"
    assert (Light.ON.label, Light.ON.tone) == ("shining", "ok")


def test_a_step_leads_from_its_own_states_alone() -> None:
    Turn.ON.check(Light.OFF, actor(Permission.QUOTE_SAVE), "L-1")

    with pytest.raises(IllegalMoveError, match="L-1 is on: this can't be done now"):
        Turn.ON.check(Light.ON, actor(Permission.QUOTE_SAVE), "L-1")


def test_a_step_of_people_asks_for_its_permission_first() -> None:
    with pytest.raises(NotAllowedError):
        Turn.ON.check(Light.ON, actor(), "L-1")


def test_the_portal_itself_takes_steps_that_nobody_may() -> None:
    Turn.FAIL.check(Light.ON, None, "L-1")
