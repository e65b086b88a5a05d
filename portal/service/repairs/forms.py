"""What may be typed about a repair: how the unit comes, a step, a part."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.orders.carriers import CARRIERS
from portal.service.repairs.rules import Way
from portal.web.forms import (
    ChoiceField,
    CodeField,
    Form,
    HiddenField,
    QuantityField,
    RadioChoiceField,
    TextArea,
    TextField,
)

LONGEST_WORDS = 20_000


def _ways() -> list[tuple[str, str]]:
    return [(way.value, _(way.label)) for way in Way]


def _carriers() -> list[tuple[str, str]]:
    return [("", "–"), *((carrier.code, _(carrier.name)) for carrier in CARRIERS.values())]


class AnnounceForm(Form):
    key = HiddenField(id="repair-key")
    way = RadioChoiceField(_l("How does the unit get to us?"), id="repair-way")
    address = ChoiceField(_l("Address"), required=False, id="repair-address")
    contact = TextField(
        _l("Contact at this address"), required=False, max_length=200, id="repair-contact"
    )
    fault = TextArea(
        _l("What is wrong"), required=True, max_length=LONGEST_WORDS, id="repair-fault"
    )

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **options)
        self.way.choices = _ways()
        self.address.choices = self.address.choices or []


class StepForm(Form):
    version = HiddenField(id="repair-version")
    note = TextArea(_l("Words with the step"), max_length=LONGEST_WORDS, id="repair-note")
    carrier = ChoiceField(_l("Carrier"), required=False, id="repair-carrier")
    tracking_number = CodeField(
        _l("Tracking number"), required=False, max_length=80, id="repair-tracking"
    )

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **options)
        self.carrier.choices = _carriers()


class PartForm(Form):
    key = HiddenField(id="part-key")
    sku = CodeField(_l("SKU"), id="part-sku")
    quantity = QuantityField(_l("Quantity"), id="part-quantity")
    payer = ChoiceField(_l("Who decides on the cost"), required=False, id="part-payer")

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **options)
        self.payer.choices = self.payer.choices or []


class ReceivePartForm(Form):
    key = HiddenField()
    sku = CodeField(_l("SKU"))
    location_code = CodeField(_l("Location"))
    quantity = QuantityField(_l("Quantity"))
    note = TextField(_l("Delivery note"), required=False)
