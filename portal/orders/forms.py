"""What may be typed about an order."""

from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms.validators import ValidationError

from portal.orders.actions import Terms
from portal.orders.carriers import CARRIERS
from portal.orders.lineforms import read_weights
from portal.orders.shipping import Parcel
from portal.web.forms import (
    CheckField,
    ChoiceField,
    DateField,
    Form,
    HiddenField,
    TextArea,
    TextField,
)
from portal.web.numbers import NotANumberError, parse_number


def _read_amount(text: object) -> Decimal | None:
    """Read a hidden amount; nothing was shown where there is none, and nonsense is no freight."""
    if not text:
        return None
    try:
        return parse_number(str(text))
    except NotANumberError:
        return Decimal(-1)


class TermsForm(Form):
    key = HiddenField()
    freight = HiddenField()
    """What the page shows; placing asks again where it has become another amount."""
    purchase_order_number = TextField(_l("Purchase order number"), required=False, max_length=64)
    contact = TextField(_l("Contact for the delivery"), required=False, max_length=200)
    requested_on = DateField(_l("Requested delivery date"), required=False)
    delivery_notes = TextArea(_l("Delivery notes"), required=False, max_length=1000)
    accept_duplicate = CheckField(_l("Use this purchase order number again"))
    accept_tax = CheckField(_l("Accept the new tax rate"))

    @property
    def terms(self) -> Terms:
        """What was typed, as the action takes it."""
        return Terms(
            purchase_order_number=self.purchase_order_number.data or "",
            contact=self.contact.data or "",
            requested_on=self.requested_on.data,
            delivery_notes=self.delivery_notes.data or "",
            accept_duplicate=bool(self.accept_duplicate.data),
            accept_tax=bool(self.accept_tax.data),
            freight=_read_amount(self.freight.data),
        )


class ReasonForm(Form):
    reason = TextArea(_l("Reason"), required=False, max_length=1000)


class CommentForm(Form):
    comment = TextArea(_l("Comment"), required=False, max_length=1000)


class AnswerForm(Form):
    answer = TextArea(_l("Answer"), required=False, max_length=1000)


def _carriers() -> list[tuple[str, str]]:
    return [(carrier.code, _(carrier.name)) for carrier in CARRIERS.values()]


class ShipForm(Form):
    key = HiddenField()
    carrier = ChoiceField(_l("Carrier"), choices=_carriers)
    tracking_number = TextField(_l("Tracking number"), required=False, max_length=64)
    expected_on = DateField(_l("Expected arrival"), required=False)
    packages = TextField(_l("Packages"), max_length=3)
    weights = TextField(_l("Weights in kg"), required=False, max_length=400)
    _read: tuple[Decimal | None, ...] = (None,)

    def validate_packages(self, _field: object) -> None:
        """Read packages and weights together: there is one weight for each, or none."""
        try:
            self._read = read_weights(self.packages.data or "", self.weights.data or "")
        except ValueError as error:
            raise ValidationError(str(error)) from None

    @property
    def parcel(self) -> Parcel:
        """What was typed, as the action takes it."""
        return Parcel(
            carrier=self.carrier.data,
            tracking_number=self.tracking_number.data or "",
            weights=self._read,
            expected_on=self.expected_on.data,
        )


class DeliverForm(Form):
    delivered_on = DateField(_l("Day of arrival"))
    received_by = TextField(_l("Received by"), required=False, max_length=200)

    def at(self, number: str) -> "DeliverForm":
        """Return the form with ids of its own, since a page has one for each shipment."""
        for field in (self.delivered_on, self.received_by):
            field.id = f"{field.short_name}-{number}"
            field.label.field_id = field.id
        return self
