# ruff: noqa: RUF001 - full-width letters are what is tested
"""Forms take what people type, say what is wrong in words, and keep what was typed."""

from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, render_template_string
from werkzeug.datastructures import MultiDict

from portal.errors import InvalidError
from portal.web.forms import (
    AmountField,
    ChoiceField,
    CodeField,
    DateField,
    FileField,
    Form,
    PasswordField,
    QuantityField,
    TextField,
)


class SampleForm(Form):
    title = TextField("Title", max_length=10)
    code = CodeField("Code", required=False)
    quantity = QuantityField("Quantity", required=False)
    limit = AmountField("Limit", required=False, min=5)
    day = DateField("Day", required=False)
    place = ChoiceField("Place", choices=[("a", "A")], required=False)
    secret = PasswordField("Secret", required=False)
    file = FileField("File", required=False)


def filled(app: Flask, **typed: str) -> SampleForm:
    with app.test_request_context(method="POST", data={"title": "T", **typed}):
        form = SampleForm()
        form.validate()
        return form


@pytest.mark.parametrize(
    ("field", "typed", "read"),
    [
        ("title", "  Laptops  ", "Laptops"),
        ("code", " ＬＴ－１２ ", "LT-12"),
        ("quantity", "1 250", Decimal(1250)),
        ("quantity", "１２,５", Decimal("12.5")),
        ("limit", "10,000.50", Decimal("10000.50")),
        ("secret", " with spaces ", " with spaces "),
    ],
)
def test_what_is_typed_is_understood(app: Flask, field: str, typed: str, read: object) -> None:
    form = filled(app, **{field: typed})

    assert form.errors == {}
    assert form[field].data == read


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("title", "   ", "Enter a value: Title."),
        ("title", "eleven char", "Title is longer than 10 characters: shorten it by 1."),
        ("title", "a\x07b", "Title holds a character that can't be shown."),
        ("quantity", "many", "“many” is not a number. Enter one such as 1,250 or 12.5."),
        ("quantity", "0", "Enter 0.001 or more."),
        ("quantity", "-1", "Enter 0.001 or more."),
        ("quantity", "1.2345", "Enter at most 3 decimals."),
        ("quantity", "1e999999", "“1e999999” is not a number. Enter one such as 1,250 or 12.5."),
        ("quantity", "9" * 15, "Enter 999,999,999 or less."),
        ("limit", "4.99", "Enter 5 or more."),
        ("day", "31.12.2026", "Enter a day such as 2026-12-31."),
        ("place", "b", "Choose one of the list: Place."),
    ],
)
def test_a_refused_value_is_explained_and_kept(
    app: Flask, field: str, typed: str, says: str
) -> None:
    form = filled(app, **{field: typed})

    assert form.errors == {field: [says]}
    if field in {"quantity", "limit"}:
        with app.test_request_context():
            assert f'value="{typed}"' in form[field]()


def test_an_empty_optional_field_is_nothing(app: Flask) -> None:
    form = filled(app, quantity="", day="", place="", code="")

    assert form.errors == {}
    assert form.quantity.data is None
    assert form.day.data is None


def test_a_refusal_goes_to_the_field_it_names_or_above_the_form(app: Flask) -> None:
    class TooMuchError(InvalidError):
        message = "At most {most}."
        field = "quantity"

    with app.test_request_context():
        form = filled(app, quantity="3")
        form.add_error(TooMuchError(most=Decimal(2)))
        form.add_error("The list is closed.")

    assert form.errors == {"quantity": ["At most 2."], "": ["The list is closed."]}


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("zh-TW", "此欄位是必需的。"),
        ("zh-CN", "该字段是必填字段。"),
        ("ko", "이 항목은 필수입니다."),
    ],
)
def test_wtforms_own_words_come_in_the_right_chinese(app: Flask, language: str, says: str) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        form = SampleForm(MultiDict())

        assert form.title.gettext("This field is required.") == says


def test_the_error_summary_links_to_each_field(app: Flask) -> None:
    template = (
        '{% import "components/form.html" as f %}{{ f.errors(form) }}{{ f.field(form.quantity) }}'
    )
    form: Any = filled(app, quantity="many", title="")
    with app.test_request_context():
        page = render_template_string(template, form=form)

    assert "There is a problem" in page
    assert '<a href="#title">Enter a value: Title.</a>' in page
    assert '<a href="#quantity">“many” is not a number.' in page
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="quantity-error"' in page
    assert 'value="many"' in page
