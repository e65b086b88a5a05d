"""The one instant at which tests happen, unless they say otherwise."""

from datetime import UTC, datetime
from typing import Final

NOW: Final = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
