"""What happened to views, schedules and rates, in words."""

from collections.abc import Mapping
from typing import Final

from portal.errors import N_

LABELS: Final[Mapping[str, str]] = {
    "exchange-rate.saved": N_("Exchange rates imported"),
    "saved-view.made": N_("Report view saved"),
    "saved-view.changed": N_("Report view changed"),
    "saved-view.removed": N_("Report view removed"),
    "report-schedule.set": N_("Report by mail arranged"),
    "report-schedule.removed": N_("Report by mail ended"),
    "report-schedule.stopped": N_("Report by mail stopped: the rights are gone"),
}
"""Verb of an event -> what happened."""
