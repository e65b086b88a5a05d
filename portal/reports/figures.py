"""The figures of all reports: each is defined here once, in words and in arithmetic. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

from portal.errors import N_
from portal.money import EXACT, round_half_up

HUNDRED: Final = Decimal(100)
HOUR: Final = Decimal(3600)
NONE: Final = Decimal(0)
Value = Decimal | int | None


@unique
class Kind(StrEnum):
    """What a figure is made of, and so how it is written."""

    COUNT = "count"
    MONEY = "money"
    PERCENT = "percent"
    HOURS = "hours"
    DAYS = "days"
    SCORE = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: its name in files, its word and meaning on the page.

    ``is_better_up`` says whether more of it is good; ``None`` where it is neither.
    """

    key: str
    label: str
    meaning: str
    kind: Kind = Kind.COUNT
    is_better_up: bool | None = None


ORDERS: Final = Figure(
    key="orders",
    label=N_("Orders"),
    meaning=N_("Orders placed, without those cancelled or declined."),
)
LINES: Final = Figure(
    key="lines", label=N_("Lines"), meaning=N_("Lines of these orders that are not cancelled.")
)
NET: Final = Figure(
    key="net",
    label=N_("Ordered"),
    meaning=N_("Net value of the lines that are not cancelled, without freight and tax."),
    kind=Kind.MONEY,
)
LIST: Final = Figure(
    key="list",
    label=N_("List value"),
    meaning=N_("The same lines at the list price of the day of the quote, where there was one."),
    kind=Kind.MONEY,
)
SAVED: Final = Figure(
    key="saved",
    label=N_("Savings"),
    meaning=N_("List value less what was ordered, of the lines with a list price."),
    kind=Kind.MONEY,
    is_better_up=True,
)
SAVED_SHARE: Final = Figure(
    key="saved_percent",
    label=N_("Saved, %"),
    meaning=N_("What was saved as a share of the list value."),
    kind=Kind.PERCENT,
    is_better_up=True,
)
REVENUE: Final = Figure(
    key="net",
    label=N_("Revenue"),
    meaning=N_("Net value of the ordered lines that are not cancelled, without freight and tax."),
    kind=Kind.MONEY,
    is_better_up=True,
)
DISCOUNT: Final = Figure(
    key="discount",
    label=N_("Discount"),
    meaning=N_("List value less revenue, of the lines with a list price."),
    kind=Kind.MONEY,
)
DISCOUNT_SHARE: Final = Figure(
    key="discount_percent",
    label=N_("Discount, %"),
    meaning=N_("The discount as a share of the list value."),
    kind=Kind.PERCENT,
)
OPEN_LINES: Final = Figure(
    key="open_lines",
    label=N_("Open lines"),
    meaning=N_("Confirmed lines of which something has still to leave."),
)
LATE_LINES: Final = Figure(
    key="late_lines",
    label=N_("Late lines"),
    meaning=N_("Those of them whose promised day is over."),
    is_better_up=False,
)
OPEN_VALUE: Final = Figure(
    key="open_value",
    label=N_("Open value"),
    meaning=N_("Net value of what has still to leave."),
    kind=Kind.MONEY,
)
LATE_VALUE: Final = Figure(
    key="late_value",
    label=N_("Late value"),
    meaning=N_("Open value of the late lines."),
    kind=Kind.MONEY,
    is_better_up=False,
)
DELIVERED: Final = Figure(
    key="delivered",
    label=N_("Delivered lines"),
    meaning=N_("Lines whose last piece arrived in the period and that had a promised day."),
)
ON_TIME: Final = Figure(
    key="on_time",
    label=N_("On time"),
    meaning=N_("Those that arrived whole by the day that was promised first."),
)
ON_TIME_SHARE: Final = Figure(
    key="on_time_percent",
    label=N_("On time, %"),
    meaning=N_("Lines on time as a share of the delivered lines."),
    kind=Kind.PERCENT,
    is_better_up=True,
)
DAYS_LATE: Final = Figure(
    key="days_late",
    label=N_("Days late, average"),
    meaning=N_("Calendar days after the promised day, over the lines that were late."),
    kind=Kind.DAYS,
    is_better_up=False,
)
WAITING_ORDERS: Final = Figure(
    key="orders",
    label=N_("Orders"),
    meaning=N_("Placed orders of which something has not left yet."),
)
OLDEST: Final = Figure(
    key="oldest_days",
    label=N_("Oldest, days"),
    meaning=N_("Days since the oldest of them was placed."),
    kind=Kind.DAYS,
    is_better_up=False,
)
STEPS: Final = Figure(
    key="steps",
    label=N_("Steps"),
    meaning=N_("Approval steps that were opened in the period."),
)
STEPS_DONE: Final = Figure(
    key="finished",
    label=N_("Finished"),
    meaning=N_("Those that are answered."),
)
APPROVAL_HOURS: Final = Figure(
    key="hours_average",
    label=N_("Hours, average"),
    meaning=N_(
        "Time from the opening of a finished step to its end, nights and weekends included."
    ),
    kind=Kind.HOURS,
    is_better_up=False,
)
APPROVAL_MEDIAN: Final = Figure(
    key="hours_median",
    label=N_("Hours, median"),
    meaning=N_("Half of the finished steps took no longer."),
    kind=Kind.HOURS,
    is_better_up=False,
)
APPROVAL_LONGEST: Final = Figure(
    key="hours_longest",
    label=N_("Hours, longest"),
    meaning=N_("The finished step that took longest."),
    kind=Kind.HOURS,
    is_better_up=False,
)
CASES: Final = Figure(
    key="cases", label=N_("Cases"), meaning=N_("Cases opened in the period, without merged ones.")
)
CASES_OPEN: Final = Figure(
    key="open",
    label=N_("Open"),
    meaning=N_("Those that are not resolved today."),
    is_better_up=False,
)
ANSWERED_SHARE: Final = Figure(
    key="answered_in_time_percent",
    label=N_("Answered in time, %"),
    meaning=N_(
        "First answers within the promise, as a share of the cases whose promise is decided."
    ),
    kind=Kind.PERCENT,
    is_better_up=True,
)
RESOLVED_SHARE: Final = Figure(
    key="resolved_in_time_percent",
    label=N_("Resolved in time, %"),
    meaning=N_("Resolutions within the promise, as a share of the cases whose promise is decided."),
    kind=Kind.PERCENT,
    is_better_up=True,
)
ANSWER_HOURS: Final = Figure(
    key="answer_hours",
    label=N_("First answer, business hours"),
    meaning=N_("Average business hours until the first answer."),
    kind=Kind.HOURS,
    is_better_up=False,
)
RESOLUTION_HOURS: Final = Figure(
    key="resolution_hours",
    label=N_("Resolution, business hours"),
    meaning=N_("Average business hours until the resolution, without waiting for the customer."),
    kind=Kind.HOURS,
    is_better_up=False,
)
STARS: Final = Figure(
    key="stars",
    label=N_("Rating"),
    meaning=N_("Average of the stars that customers gave, one to five."),
    kind=Kind.SCORE,
    is_better_up=True,
)
REPAIRS: Final = Figure(
    key="repairs",
    label=N_("Repairs"),
    meaning=N_("Repair cases that were resolved in the period."),
)
REPAIR_HOURS: Final = Figure(
    key="business_hours",
    label=N_("Business hours, average"),
    meaning=N_("Business hours from opening to resolution, without waiting for the customer."),
    kind=Kind.HOURS,
    is_better_up=False,
)
REPAIR_DAYS: Final = Figure(
    key="days",
    label=N_("Days, average"),
    meaning=N_("Calendar days from opening to resolution, everything included."),
    kind=Kind.DAYS,
    is_better_up=False,
)
REPAIR_DAYS_LONGEST: Final = Figure(
    key="days_longest",
    label=N_("Days, longest"),
    meaning=N_("The repair that took longest."),
    kind=Kind.DAYS,
    is_better_up=False,
)
ASSETS_EXPIRING: Final = Figure(
    key="assets",
    label=N_("Assets"),
    meaning=N_("Covered assets in use whose last entitlement ends in the days ahead."),
)
ASSETS_IN_WARRANTY: Final = Figure(
    key="warranty",
    label=N_("Under warranty"),
    meaning=N_("Those whose last entitlement is a warranty."),
)
ASSETS_IN_CONTRACT: Final = Figure(
    key="contract",
    label=N_("Under contract"),
    meaning=N_("Those whose last entitlement is a service contract."),
)
COMPLAINTS: Final = Figure(
    key="complaints",
    label=N_("Complaints"),
    meaning=N_("Cases of kind complaint opened in the period, without merged ones."),
    is_better_up=False,
)
COMPLAINTS_SEVERE: Final = Figure(
    key="severe",
    label=N_("Severe"),
    meaning=N_("Those assessed with the highest severity."),
    is_better_up=False,
)
FOLLOW_UPS_DUE: Final = Figure(
    key="follow_ups_due",
    label=N_("Follow-ups due"),
    meaning=N_("Complaints whose follow-up day has come and is not done."),
    is_better_up=False,
)
QUOTES: Final = Figure(
    key="quotes",
    label=N_("Quotes"),
    meaning=N_("Quotes begun in the period that got to this stage, whatever came of them later."),
)
QUOTE_SHARE: Final = Figure(
    key="share_percent",
    label=N_("Of all, %"),
    meaning=N_("The same as a share of the quotes begun."),
    kind=Kind.PERCENT,
    is_better_up=True,
)
QUOTE_VALUE: Final = Figure(
    key="value",
    label=N_("Value"),
    meaning=N_("Net total of these quotes as it stands, of those that have one."),
    kind=Kind.MONEY,
)
RECENCY: Final = Figure(
    key="days_since",
    label=N_("Days since last order"),
    meaning=N_("Days from the last order to the end of the period."),
    kind=Kind.DAYS,
    is_better_up=False,
)
SCORE_RECENCY: Final = Figure(
    key="recency_score",
    label=N_("Recency"),
    meaning=N_("1 to 5: the fifth of the accounts that ordered last has 5."),
)
SCORE_FREQUENCY: Final = Figure(
    key="frequency_score",
    label=N_("Frequency"),
    meaning=N_("1 to 5: the fifth of the accounts with most orders has 5."),
)
SCORE_VALUE: Final = Figure(
    key="value_score",
    label=N_("Value"),
    meaning=N_("1 to 5: the fifth of the accounts with the highest value has 5."),
)
EARLIER_NET: Final = Figure(
    key="net_before",
    label=N_("Ordered before"),
    meaning=N_("Net value of everything that the account ordered until then."),
    kind=Kind.MONEY,
)


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """Return a part in per cent of a whole, half up to one decimal; ``None`` of nothing."""
    if not whole:
        return None
    return round_half_up(EXACT.divide(HUNDRED * part, Decimal(whole)), 1)


def average(values: Sequence[Decimal], decimals: int = 1) -> Decimal | None:
    """Return the mean, half up; ``None`` of nothing."""
    if not values:
        return None
    return round_half_up(EXACT.divide(sum(values, NONE), Decimal(len(values))), decimals)


def median(values: Sequence[Decimal], decimals: int = 1) -> Decimal | None:
    """Return the middle value, or the mean of the two in the middle; ``None`` of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return round_half_up(ordered[middle], decimals)
    return round_half_up((ordered[middle - 1] + ordered[middle]) / 2, decimals)


def change(now: Value, before: Value) -> Decimal | None:
    """Return how much a figure changed, in per cent of what it was; ``None`` from nothing."""
    if now is None or not before:
        return None
    return share(Decimal(now) - Decimal(before), abs(Decimal(before)))


def fifths(values: Sequence[Decimal | int], *, is_high_good: bool = True) -> list[int]:
    """Return a score of 1 to 5 for each value, by rank; equal values have equal scores.

    The score says in which fifth of the ranks the best place of the value lies.
    """
    ordered = sorted(values, reverse=is_high_good)
    places = {value: place for place, value in reversed(list(enumerate(ordered)))}
    return [5 - places[value] * 5 // len(ordered) for value in values]
