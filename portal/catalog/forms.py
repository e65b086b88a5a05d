"""What may be asked of the catalogue's pages by their address, and the links that change it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from portal.catalog.narrowing import Filters
from portal.web.addresses import url_with, url_without

ATTRIBUTE: Final = "attr."
BRAND: Final = "brand"
LONGEST: Final = 300
MOST_FILTERS: Final = 20


@dataclass(frozen=True, slots=True)
class AsOf:
    """The instant for which prices are shown, and the day asked for where it is not today."""

    at: datetime
    day: date | None = None
    typed: str = ""
    error: str = ""


def read_filters() -> Filters:
    """Return the filters of the address; nonsense is cut, never an error."""
    names = [key for key in request.args if key.startswith(ATTRIBUTE)][:MOST_FILTERS]
    return Filters(
        text=request.args.get("q", "").strip()[:LONGEST],
        category_path=request.args.get("category", "").strip("/ ")[:500],
        manufacturers=_several(BRAND),
        attributes={key.removeprefix(ATTRIBUTE): _several(key) for key in names if _several(key)},
    )


def _several(name: str) -> tuple[str, ...]:
    values = dict.fromkeys(value for value in request.args.getlist(name) if value)
    return tuple(values)[:MOST_FILTERS]


def read_as_of(now: datetime, zone: str) -> AsOf:
    """Return for when prices are asked (``?at=2026-03-01``): that day's first instant, or now."""
    typed = request.args.get("at", "").strip()[:20]
    if not typed:
        return AsOf(now)
    try:
        day = date.fromisoformat(typed)
        at = datetime.combine(day, time(), ZoneInfo(zone))
        at.astimezone(ZoneInfo("UTC"))
    except (ValueError, OverflowError):
        return AsOf(now, typed=typed, error=_("Enter a date like 2026-12-31."))
    if day == now.astimezone(ZoneInfo(zone)).date():
        return AsOf(now, typed=typed)
    return AsOf(at, day, typed)


def url_toggled(name: str, value: str) -> str:
    """Return this page's address with one value of a filter added, or taken away where it is on."""
    if value in request.args.getlist(name):
        return url_without(name, value)
    arguments: MultiDict[str, str] = MultiDict(request.args)
    arguments.add(name, value)
    arguments.poplist("page")
    return f"{request.path}?{urlencode(list(arguments.items(multi=True)))}"


def chips(filters: Filters, category_name: str) -> list[tuple[str, str]]:
    """Return each filter that is on, with the address without it."""
    shown = []
    if filters.text:
        shown.append((_("Search: %(text)s", text=filters.text), url_with(q=None, page=None)))
    if filters.category_path:
        shown.append((category_name, url_with(category=None, page=None)))
    shown += [(value, url_without(BRAND, value)) for value in filters.manufacturers]
    shown += [
        (_("%(name)s: %(value)s", name=name, value=value), url_without(ATTRIBUTE + name, value))
        for name, values in filters.attributes.items()
        for value in values
    ]
    return shown


def kept(*without: str) -> Iterator[tuple[str, str]]:
    """Yield the arguments of the address that a form of the page must hand on."""
    for name, value in request.args.items(multi=True):
        if name not in {*without, "page"}:
            yield name, value


def cleared() -> Mapping[str, None]:
    """Return the changes that take every filter off and leave account, date and order."""
    names = [key for key in request.args if key.startswith(ATTRIBUTE)]
    return dict.fromkeys(["q", "category", BRAND, "page", *names])
