"""A part of a page that is drawn once is drawn anew for every reader who would see another one."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from flask_babel import force_locale
from markupsafe import Markup

from portal.web.drawing import choose, drawn
from portal.web.locale import LANGUAGES

SOURCE = """
{%- macro part(value) -%}{{ value }} {{ _("Orders") }}{%- endmacro -%}
{%- macro instant(value) -%}{{ value|instant }}{%- endmacro -%}
{%- macro link() -%}{{ url_for("home.index") }}{%- endmacro -%}
"""


@pytest.fixture
def macros(app: Flask) -> object:
    return app.jinja_env.from_string(SOURCE).module


def test_equal_values_are_drawn_once(app: Flask) -> None:
    asked: list[object] = []

    def macro(*shown: object) -> Markup:
        asked.append(shown)
        return Markup("part")

    with app.test_request_context("/"):
        for value in ("a", "b", "a", "a"):
            assert drawn(macro, value) == "part"
    assert asked == [("a",), ("b",)]


def test_each_language_has_its_own(app: Flask, macros: object) -> None:
    seen = set()
    for language in LANGUAGES.values():
        with app.test_request_context("/"), force_locale(language.babel):
            first, again = (drawn(macros.part, 1) for _ in range(2))  # type: ignore[attr-defined]
            assert first == again
            seen.add(first)
    assert len(seen) == len(LANGUAGES)


def test_a_text_is_not_taken_for_the_same_markup(app: Flask, macros: object) -> None:
    part = macros.part  # type: ignore[attr-defined]
    with app.test_request_context("/"):
        assert drawn(part, Markup("<b>x</b>")).startswith("<b>x</b>")
        assert drawn(part, "<b>x</b>").startswith("&lt;b&gt;x&lt;/b&gt;")


def test_what_equals_another_kind_of_value_is_drawn_by_itself(app: Flask, macros: object) -> None:
    part = macros.part  # type: ignore[attr-defined]
    values = (1, True, Decimal(1), "1", date(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC))
    with app.test_request_context("/"):
        assert [drawn(part, value) for value in values] == [part(value) for value in values]


def test_addresses_follow_where_the_portal_is_reached(app: Flask, macros: object) -> None:
    link = macros.link  # type: ignore[attr-defined]
    with app.test_request_context("/"):
        assert drawn(link) == "/"
    with app.test_request_context("/", base_url="http://localhost/shop"):
        assert drawn(link) == "/shop/"


@pytest.mark.parametrize(
    ("key", "chosen"),
    [("2", "2"), ("", None), ("3", None), ('2">', None), ("02", None), ("1 selected", None)],
)
def test_one_option_of_a_select_is_chosen(key: str, chosen: str | None) -> None:
    options = Markup('<option value="1">One</option><option value="2">&lt;Two&gt;</option>')

    made = choose(options, key)

    assert isinstance(made, Markup)
    assert made.replace(Markup(" selected"), Markup("")) == options
    assert made.count(" selected") == (0 if chosen is None else 1)
    assert chosen is None or f'value="{chosen}" selected' in str(made)
