"""What may be typed at the door, about oneself, and about the rights of others."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from portal.web.forms import (
    AmountField,
    CheckField,
    CheckListField,
    ChoiceField,
    EmailField,
    Form,
    HiddenField,
    PasswordField,
    TextField,
)

_PRESENT = {"autocomplete": "current-password"}
_NEW = {"autocomplete": "new-password"}


class SignInForm(Form):
    email = EmailField(
        lazy_gettext("E-mail"), render_kw={"autocomplete": "username", "autofocus": True}
    )
    password = PasswordField(lazy_gettext("Password"), render_kw=_PRESENT)


class ForgottenForm(Form):
    email = EmailField(lazy_gettext("E-mail"), render_kw={"autocomplete": "email"})


class NewPasswordForm(Form):
    password = PasswordField(lazy_gettext("New password"), render_kw=_NEW)


class PasswordForm(NewPasswordForm):
    present_password = PasswordField(lazy_gettext("Present password"), render_kw=_PRESENT)


class ProfileForm(Form):
    name = TextField(lazy_gettext("Name"), render_kw={"autocomplete": "name"})
    locale = ChoiceField(lazy_gettext("Language"), required=False)
    theme = ChoiceField(lazy_gettext("Theme"))


class RightsForm(Form):
    unit_id = ChoiceField(lazy_gettext("Unit"), required=False)
    access_group_id = ChoiceField(lazy_gettext("Access group"), required=False)
    roles = CheckListField(lazy_gettext("Roles"))
    signing_limit = AmountField(lazy_gettext("Signing limit"), required=False)
    signs_unlimited = CheckField(lazy_gettext("Signs without a limit"))
    manager_id = ChoiceField(lazy_gettext("Manager"), required=False)
    seen = HiddenField()


class InviteForm(RightsForm):
    email = EmailField(lazy_gettext("E-mail"), render_kw={"autocomplete": "off"})
    name = TextField(lazy_gettext("Name"), render_kw={"autocomplete": "off"})
    locale = ChoiceField(lazy_gettext("Language"), required=False)


def whole_account() -> tuple[str, str]:
    """Return the entry of a list of units that names none: the account is above all of them."""
    return ("", _("The whole account"))


def none_chosen() -> tuple[str, str]:
    """Return the entry of a list that chooses nothing."""
    return ("", _("None"))
