"""What may be typed about assets."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from portal.service.assets.rules import Covered, EntitlementKind
from portal.web.forms import CheckListField, ChoiceField, DateField, EmailField, Form, TextField


class TransferForm(Form):
    unit = ChoiceField(_l("Unit"), required=False)
    email = EmailField(_l("Person (e-mail)"), required=False)
    address = ChoiceField(_l("Address"), required=False)
    place = TextField(_l("Room or desk"), required=False, max_length=200)
    version = HiddenField()


class EntitlementForm(Form):
    kind = ChoiceField(_l("Kind"), choices=[(item.value, item.label) for item in EntitlementKind])
    covers = CheckListField(_l("Covers"), choices=[(item.value, item.label) for item in Covered])
    valid_from = DateField(_l("First day"))
    valid_until = DateField(_l("Last day"))
    note = TextField(_l("Note"), required=False, max_length=200)


class EndForm(Form):
    valid_until = DateField(_l("Last day"))
    version = HiddenField()
