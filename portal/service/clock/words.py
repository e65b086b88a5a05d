"""What pages say of a clock: how a promise stands, and why time stands still."""

from typing import Final

from flask_babel import gettext as _

from portal.service.clock.rules import Clock, Gauge, GaugeState
from portal.web.formats import duration, instant

WARNS_BELOW: Final = 4
"""A promise of which less than this part (a quarter) is left is shown as needing somebody."""


def gauge_words(gauge: Gauge) -> str:
    """Say in a few words how a promise stands and what is left of it, in business hours."""
    if gauge.target is None or gauge.left is None or gauge.state is GaugeState.NONE:
        return _("nothing promised")
    left = duration(gauge.left)
    if gauge.state is GaugeState.BROKEN:
        if gauge.ended_at is None:
            return _("overdue by %(time)s", time=left)
        return _("late by %(time)s", time=left)
    if gauge.state is GaugeState.MET:
        return _("kept in %(time)s", time=duration(gauge.used))
    if gauge.state is GaugeState.PAUSED:
        return _("paused, %(time)s left", time=left)
    return _("%(time)s left", time=left)


def gauge_tone(gauge: Gauge) -> str:
    """Return which of the five shapes of a state a promise has."""
    if gauge.state is GaugeState.RUNNING and gauge.left is not None and gauge.target is not None:
        return "warn" if gauge.left * WARNS_BELOW < gauge.target else "work"
    return {
        GaugeState.NONE: "idle",
        GaugeState.PAUSED: "idle",
        GaugeState.MET: "ok",
        GaugeState.BROKEN: "bad",
    }.get(gauge.state, "work")


def pause_words(clock: Clock, *, for_customer: bool = True) -> str:
    """Say why time stands still at this moment; nothing where it runs or the case has ended."""
    if clock.is_paused and clock.paused_since is not None:
        since = instant(clock.paused_since)
        if for_customer:
            return _("The clock pauses since %(since)s: we wait for your reply.", since=since)
        return _("The clock pauses since %(since)s: the customer was asked.", since=since)
    if clock.opens_at is not None and clock.next_gauge is not None:
        return _("Outside business hours: the clock goes on %(at)s.", at=instant(clock.opens_at))
    return ""
