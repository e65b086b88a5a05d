"""What may be typed into a draft: read by name, kept as typed, with an error at each field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.quotes.edits import KEEP, DraftEdits, Keep, LineEdit
from portal.quotes.entry import ERRORS, read_quantity
from portal.quotes.rules import LONGEST_TITLE
from portal.web.forms import DateField, Form, HiddenField, TextField

LONGEST_NOTE: Final = 4000
LONGEST_LINE_NOTE: Final = 400
_LINE_FIELD: Final = re.compile(r"(quantity|cost_centre|ship_to|note|remove|price)-(\d{1,9})")


@dataclass(slots=True)
class DraftForm:
    """A submitted draft: ``texts`` as typed, ``edits`` as read, ``errors`` by field name."""

    texts: Mapping[str, str] = field(default_factory=dict)
    edits: DraftEdits = field(default_factory=DraftEdits)
    version: int = 0
    shown_total: Decimal | None = None
    errors: dict[str, str] = field(default_factory=dict)
    add_sku: str = ""
    add_quantity: Decimal | None = None

    @property
    def added(self) -> list[tuple[str, Decimal, str | None]]:
        """What is added at the end of the lines: SKU, quantity, the product's own unit."""
        if not self.add_sku or self.add_quantity is None:
            return []
        return [(self.add_sku, self.add_quantity, None)]

    def text(self, name: str, saved: object) -> str:
        """Return what stands in a field: as typed, else as saved."""
        if name in self.texts:
            return self.texts[name]
        return "" if saved is None else str(saved)


class ExtendForm(Form):
    """Until when the prices of a submitted revision are held for longer."""

    revision = HiddenField()
    until = DateField(_l("Valid until"))
    reason = TextField(_l("Reason"), required=False, description=_l("The requester reads this."))


def read_draft(texts: Mapping[str, str]) -> DraftForm:
    """Read the editor's form; a field that is missing changes nothing."""
    form = DraftForm(texts=texts)
    form.version = _whole(texts.get("version", "")) or 0
    form.shown_total = _decimal(texts.get("shown_total", ""))
    lines: dict[int, dict[str, Any]] = {}
    removed: set[int] = set()
    accepted: dict[int, Decimal] = {}
    accepts = bool(texts.get("accept_prices"))
    for name, text in texts.items():
        match = _LINE_FIELD.fullmatch(name)
        if match is None:
            continue
        kind, line_id = match[1], int(match[2])
        if kind == "remove":
            removed.add(line_id)
        elif kind == "price":
            price = _decimal(text)
            if accepts and price is not None:
                accepted[line_id] = price
        else:
            lines.setdefault(line_id, {}).update(_line_value(form, kind, name, text))
    form.edits = DraftEdits(
        title=_limited(form, "title", LONGEST_TITLE),
        note=_limited(form, "note", LONGEST_NOTE),
        cost_centre_id=_choice(texts, "cost_centre"),
        ship_to_address_id=_choice(texts, "ship_to"),
        lines={key: LineEdit(**values) for key, values in lines.items() if key not in removed},
        removed=frozenset(removed),
        known=_known(texts),
        accepted=accepted,
    )
    _read_addition(form)
    for line_id in removed:
        form.errors.pop(f"quantity-{line_id}", None)
    return form


def _line_value(form: DraftForm, kind: str, name: str, text: str) -> dict[str, Any]:
    if kind == "quantity":
        quantity, error = read_quantity(text)
        if error is not None or quantity is None:
            form.errors[name] = _(ERRORS[error]) if error else ""
            return {}
        return {"quantity": quantity}
    if kind == "note":
        return {"note": _limited(form, name, LONGEST_LINE_NOTE)}
    key = "cost_centre_id" if kind == "cost_centre" else "ship_to_address_id"
    return {key: _whole(text)}


def _limited(form: DraftForm, name: str, most: int) -> str | Keep:
    if name not in form.texts:
        return KEEP
    text = form.texts[name].replace("\r\n", "\n").strip()
    if len(text) > most:
        form.errors[name] = _("At most %(most)s characters are possible.", most=most)
    return text


def _choice(texts: Mapping[str, str], name: str) -> int | Keep | None:
    return _whole(texts[name]) if name in texts else KEEP


def _known(texts: Mapping[str, str]) -> frozenset[int] | None:
    """Return the line ids that the form was made from; a page of a long draft names all of them."""
    if "lines" not in texts:
        return None
    return frozenset(int(part) for part in re.findall(r"\d{1,9}", texts["lines"]))


def _read_addition(form: DraftForm) -> None:
    """Read the row at the end of the lines, where one more product can be added."""
    form.add_sku = form.texts.get("add_sku", "").strip()
    if not form.add_sku:
        return
    quantity, error = read_quantity(form.texts.get("add_quantity", "") or "1")
    if error is not None:
        form.errors["add_quantity"] = _(ERRORS[error])
    form.add_quantity = quantity


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,18}", text.strip()) else None


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip()) if text.strip() else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None
