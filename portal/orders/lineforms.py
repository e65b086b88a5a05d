"""Reading what is typed per line of an order: fields are named ``WORD-LINE``, texts are kept."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from flask_babel import gettext as _

from portal.orders.models import Order, OrderLine
from portal.orders.progress import Packed, Promise
from portal.orders.proposing import Wanted
from portal.quotes.rules import MOST_QUANTITY
from portal.web.numbers import NotANumberError, decimals_of, parse_number

MOST_SERIALS = 5_000
LONGEST_SERIAL = 64
QUANTITY_PLACES = 3


@dataclass(slots=True)
class LineForm:
    """What was typed: texts to show again, and errors by the name of their field."""

    texts: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, otherwise: object = "") -> str:
        """Return what stands in a field: what was typed, or else what the page proposes."""
        typed = self.texts.get(name)
        if typed is not None:
            return typed
        if isinstance(otherwise, Decimal):
            return f"{otherwise.normalize():f}"
        return "" if otherwise is None else str(otherwise)

    def has(self, word: str, line: OrderLine) -> bool:
        """Whether the form that was sent had this field."""
        return f"{word}-{line.id}" in self.texts

    def quantity(self, word: str, line: OrderLine, otherwise: Decimal) -> Decimal:
        """Return a quantity from zero up; an empty field is zero, a missing one ``otherwise``."""
        name = f"{word}-{line.id}"
        typed = self.texts.get(name)
        if typed is None:
            return otherwise
        text = typed.strip()
        if not text:
            return Decimal(0)
        try:
            value = parse_number(text)
        except NotANumberError:
            self.errors[name] = _("“%(text)s” is not a number.", text=text[:40])
            return Decimal(0)
        if value > MOST_QUANTITY:
            self.errors[name] = _("This quantity is too large.")
            return Decimal(0)
        if value < 0 or decimals_of(value) > QUANTITY_PLACES:
            self.errors[name] = _("Enter a quantity of zero or more with at most three decimals.")
            return Decimal(0)
        return value

    def day(self, word: str, line: OrderLine) -> date | None:
        """Return a day, or nothing from an empty field."""
        name = f"{word}-{line.id}"
        text = self.texts.get(name, "").strip()
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.errors[name] = _("Enter a day such as 2026-12-31.")
            return None

    def messages(self) -> list[tuple[str, str]]:
        """Return the errors with the fields that they belong to."""
        return [(text, name) for name, text in self.errors.items()]


def line_form(form: Mapping[str, str]) -> LineForm:
    """Return the fields per line of a sent form, as they were typed."""
    return LineForm(
        {
            name: value[:20_000]
            for name, value in form.items()
            if re.fullmatch(r"[a-z]+-[0-9]{1,15}", name)
        }
    )


def read_promises(form: LineForm, order: Order) -> dict[int, Promise]:
    """Return the promised days of the lines that the form had."""
    return {
        line.id: _promise(form, line)
        for line in order.lines
        if form.has("promised", line) and line.to_ship
    }


def _promise(form: LineForm, line: OrderLine) -> Promise:
    later = form.quantity("back", line, Decimal(0))
    return Promise(
        form.day("promised", line), later, form.day("backorder", line) if later else None
    )


def read_wanted(form: LineForm, order: Order) -> dict[int, Wanted]:
    """Return what the desk proposes for the lines that the form had."""
    return {
        line.id: Wanted(
            form.quantity("quantity", line, line.valid),
            _promise(form, line),
            form.texts.get(f"sku-{line.id}", "").strip()[:64],
        )
        for line in order.lines
        if form.has("promised", line)
    }


def refuse_changes(form: LineForm, order: Order) -> None:
    """Note an error where the form changes more than days: that needs the buyer's word."""
    for line in order.lines:
        if form.has("quantity", line) and form.quantity("quantity", line, line.valid) != line.valid:
            form.errors[f"quantity-{line.id}"] = _needs_word(line)
        if form.texts.get(f"sku-{line.id}", "").strip():
            form.errors[f"sku-{line.id}"] = _needs_word(line)


def _needs_word(line: OrderLine) -> str:
    return _(
        "Line %(position)s: another quantity or product needs the buyer's word."
        " Use “Propose change”.",
        position=line.position,
    )


def read_packed(form: LineForm, order: Order) -> dict[int, Packed]:
    """Return what is shipped of each line; serial numbers stand apart by blanks or commas."""
    return {
        line.id: Packed(
            form.quantity("ship", line, line.to_ship),
            tuple(_serials(form, line)),
        )
        for line in order.lines
        if line.to_ship
    }


def _serials(form: LineForm, line: OrderLine) -> Iterable[str]:
    name = f"serials-{line.id}"
    found = [text for text in re.split(r"[\s,;]+", form.texts.get(name, "")) if text]
    too_long = next((text for text in found if len(text) > LONGEST_SERIAL), None)
    if too_long is not None:
        form.errors[name] = _(
            "“%(text)s…” is too long: a serial number has at most %(most)s characters.",
            text=too_long[:20],
            most=LONGEST_SERIAL,
        )
    if len(found) > MOST_SERIALS:
        form.errors[name] = _("At most %(most)s serial numbers at once.", most=MOST_SERIALS)
    return found


def read_quantities_of(form: LineForm, order: Order, word: str) -> dict[int, Decimal]:
    """Return a quantity per line that has something left to ship; zero where none was typed."""
    return {line.id: form.quantity(word, line, Decimal(0)) for line in order.lines if line.to_ship}


def read_weights(count: str, weights: str) -> tuple[Decimal | None, ...]:
    """Return the weight of each package in kilograms; ``None`` where nobody weighed it.

    Raises:
        ValueError: With the sentence to show.
    """
    typed = [text for text in re.split(r"[\s;]+", weights.strip()) if text]
    number = int(count) if re.fullmatch(r"\s*\d{1,3}\s*", count) else 0
    if not number:
        raise ValueError(_("Enter how many packages there are."))
    if typed and len(typed) != number:
        raise ValueError(_("Enter one weight per package, or none at all."))
    return tuple(_weight(text) for text in typed) or (None,) * number


def _weight(text: str) -> Decimal:
    try:
        value = parse_number(text)
    except NotANumberError:
        raise ValueError(_("“%(text)s” is not a number.", text=text[:40])) from None
    if value <= 0 or decimals_of(value) > QUANTITY_PLACES:
        raise ValueError(_("A weight is above zero, in kilograms with at most three decimals."))
    return value
