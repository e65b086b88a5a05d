"""What may be typed on the approval pages."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from portal.approvals.actions import LONGEST_COMMENT
from portal.web.forms import EmailField, Form, TextArea


class DecisionForm(Form):
    comment = TextArea(_l("Comment"), required=False, max_length=LONGEST_COMMENT)
    content_hash = HiddenField()
    step = HiddenField()


class ReassignForm(Form):
    email = EmailField(_l("E-mail of who answers instead"), required=False)
    step = HiddenField()


class BulkForm(Form):
    comment = TextArea(_l("Comment"), required=False, max_length=LONGEST_COMMENT)
