"""What the tests of cases share: short names for what their fixtures give."""

from collections.abc import Callable
from typing import Any

from portal.service.cases.models import Case

OpenCase = Callable[..., Case]
BusinessRows = Callable[[], dict[str, Any]]
