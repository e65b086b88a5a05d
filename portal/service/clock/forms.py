"""What may be typed about promises."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from flask_babel import lazy_gettext as _l

from portal.service.clock.rules import Targets
from portal.service.clock.targets import PRIORITIES
from portal.web.forms import Form, HiddenField, NumberField

MOST_HOURS: Final = Decimal(9999)
PARTS: Final = ("first_answer", "resolution", "warn_after", "escalate_after")
_LABELS: Final[dict[str, Any]] = {
    "first_answer": _l("First answer within (hours)"),
    "resolution": _l("Resolution within (hours)"),
    "warn_after": _l("Warn the team after (hours)"),
    "escalate_after": _l("Tell its manager after (hours)"),
}


class TargetsForm(Form):
    """One number for each priority and part, in business hours; the fields are added below."""

    seen = HiddenField()
    tier = HiddenField()

    def show(self, promised: dict[str, Targets]) -> None:
        """Fill the form with what is promised."""
        for priority, targets in promised.items():
            for part in PARTS:
                self[f"{priority}_{part}"].data = _hours(getattr(targets, part))

    def promised(self) -> dict[str, Targets]:
        """Return what was entered, by priority."""
        return {
            priority: Targets(
                self._time(priority, "first_answer"),
                self._time(priority, "resolution"),
                self._time(priority, "warn_after") or timedelta(hours=12),
                self._time(priority, "escalate_after") or timedelta(hours=24),
            )
            for priority in PRIORITIES
        }

    def _time(self, priority: str, part: str) -> timedelta | None:
        hours: Decimal | None = self[f"{priority}_{part}"].data
        if hours is None:
            return None
        minutes = (hours * 60).quantize(Decimal(1), ROUND_HALF_UP)
        return timedelta(minutes=max(1, int(minutes)))


for _priority in PRIORITIES:
    for _part in PARTS:
        setattr(
            TargetsForm,
            f"{_priority}_{_part}",
            NumberField(
                _LABELS[_part],
                required=_part.endswith("after"),
                places=2,
                least=Decimal("0.05"),
                most=MOST_HOURS,
            ),
        )


def _hours(duration: timedelta | None) -> Decimal | None:
    if duration is None:
        return None
    minutes = Decimal(int(duration.total_seconds()) // 60)
    return (minutes / 60).quantize(Decimal("0.01"), ROUND_HALF_UP).normalize()
