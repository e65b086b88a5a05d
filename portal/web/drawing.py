"""Parts of pages that are drawn once and shown again while what they show stays the same.

A macro that is imported without context sees its arguments and nothing else of a page. So what it
draws follows from them, the reader's language and time zone, and the address that the portal is
reached under; all of these make the key. Who reads is no part of it: two people see the same part
only where every value in it is the same.
"""

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Final

from flask import Flask, request
from markupsafe import Markup

from portal.web.locale import current_time_zone, language_in_force

MOST: Final = 8_192
"""Parts that a process keeps, of one to three KiB each."""

Macro = Callable[..., Markup]


def drawn(macro: Macro, /, *shown: Hashable) -> Markup:
    """Return what a macro draws of some values that never change; equal values are drawn once.

    A text counts as another value than the same markup, and 1 as another one than True or a
    decimal: what is equal to Python is not always drawn alike. That holds for the values
    themselves, so a value that holds others must hold them in one type each.
    """
    return _drawn(language_in_force(), current_time_zone(), request.script_root, macro, *shown)


@lru_cache(maxsize=MOST, typed=True)
def _drawn(_language: str, _zone: str, _root: str, macro: Macro, /, *shown: Hashable) -> Markup:
    return macro(*shown)


def choose(options: Markup, key: str) -> Markup:
    """Return the options of a select with one of them chosen, none where it is none of them."""
    if not key.isdecimal():
        return options
    chosen = str(options).replace(f'<option value="{key}">', f'<option value="{key}" selected>', 1)
    return Markup(chosen)  # noqa: S704 - digits, into what was markup before


def init_app(app: Flask) -> None:
    """Let templates draw a part once."""
    app.add_template_global(drawn, "drawn")
    app.add_template_filter(choose, "choose")
