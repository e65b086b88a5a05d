"""The clock of a case in words: what remains, until when, and why it stands still."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask_babel import gettext as _

from portal.errors import N_
from portal.service.cases.clocks import shown_gauge
from portal.service.clock.rules import Clock, Gauge, GaugeState
from portal.web.formats import day, instant

_STATES: Final[Mapping[GaugeState, tuple[str, str]]] = {
    GaugeState.NONE: (N_("no promise"), "idle"),
    GaugeState.RUNNING: (N_("running"), "work"),
    GaugeState.PAUSED: (N_("paused"), "idle"),
    GaugeState.MET: (N_("kept"), "ok"),
    GaugeState.BROKEN: (N_("not kept"), "bad"),
}
_GAUGES: Final = {"first_answer": N_("First answer"), "resolution": N_("Resolution")}
_SOON: Final = 4
"""A promise of which less than this part is left is marked as urgent."""


@dataclass(frozen=True, slots=True)
class ClockLine:
    """One promise as a page shows it; ``tone`` is one of the five of a state."""

    label: str
    state: str
    tone: str
    sentence: str
    due_at: datetime | None = None


def duration(length: timedelta) -> str:
    """Write hours and minutes; below a minute is a minute."""
    minutes = max(1, round(abs(length).total_seconds() / 60))
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(minutes)s min", minutes=rest)
    if not rest:
        return _("%(hours)s h", hours=hours)
    return _("%(hours)s h %(minutes)s min", hours=hours, minutes=rest)


def lines_of(clock: Clock) -> list[ClockLine]:
    """Return both promises, first answer and resolution; what is not promised is left out."""
    gauges = (("first_answer", clock.first_answer), ("resolution", clock.resolution))
    return [_line(name, gauge) for name, gauge in gauges if gauge.target is not None]


def short_line(clock: Clock | None) -> ClockLine | None:
    """Return the promise that a list shows: the one that is to be kept next."""
    shown = shown_gauge(clock) if clock else None
    return None if shown is None else _line(*shown)


def pause_of(clock: Clock, *, is_customer: bool) -> str:
    """Return why the clock stands still, or nothing where it runs."""
    if clock.is_paused and clock.paused_since is not None:
        since = instant(clock.paused_since)
        if is_customer:
            return _("The clock pauses since %(since)s: we wait for your answer.", since=since)
        return _("The clock pauses since %(since)s: the customer was asked back.", since=since)
    if clock.opens_at is not None:
        return _(
            "Outside business hours; the clock goes on %(when)s.", when=instant(clock.opens_at)
        )
    return ""


def _line(name: str, gauge: Gauge) -> ClockLine:
    word, tone = _STATES[gauge.state]
    if gauge.state is GaugeState.RUNNING and _is_close(gauge):
        tone = "warn"
    return ClockLine(_(_GAUGES[name]), _(word), tone, _sentence(gauge), gauge.due_at)


def _is_close(gauge: Gauge) -> bool:
    return gauge.left is not None and gauge.target is not None and gauge.left * _SOON < gauge.target


def _sentence(gauge: Gauge) -> str:
    left = gauge.left or timedelta()
    if gauge.state is GaugeState.RUNNING and gauge.due_at is not None:
        return _("%(left)s left, until %(due)s", left=duration(left), due=instant(gauge.due_at))
    if gauge.state is GaugeState.PAUSED:
        return _("%(left)s left", left=duration(left))
    if gauge.state is GaugeState.MET:
        return _("after %(used)s", used=duration(gauge.used))
    if gauge.state is GaugeState.BROKEN and gauge.due_at is not None:
        if gauge.ended_at is None:
            return _("%(over)s over, since %(due)s", over=duration(left), due=instant(gauge.due_at))
        return _("%(over)s too late, due %(due)s", over=duration(left), due=day(gauge.due_at))
    return ""
