"""What may be typed about an order."""

from flask_babel import lazy_gettext as _l

from portal.orders.actions import Terms
from portal.web.forms import CheckField, DateField, Form, HiddenField, TextArea, TextField


class TermsForm(Form):
    key = HiddenField()
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
        )


class ReasonForm(Form):
    reason = TextArea(_l("Reason"), required=False, max_length=1000)
