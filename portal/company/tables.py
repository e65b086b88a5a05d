"""Which columns the export of the list of people holds."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.accounts.people import PersonRow
from portal.accounts.rules import STATUS_LABELS
from portal.files.parsing import UNLIMITED
from portal.policy import ROLE_LABELS, Role
from portal.web.tables import Column

_ROLES = {role.value for role in Role}


def _roles(row: PersonRow) -> str:
    return ", ".join(_(ROLE_LABELS[Role(role)]) if role in _ROLES else role for role in row.roles)


COLUMNS: tuple[Column[PersonRow], ...] = (
    Column(key="name", label=_l("Name"), value=lambda row: row.name),
    Column(key="email", label=_l("E-mail"), value=lambda row: row.email),
    Column(key="account", label=_l("Account"), value=lambda row: row.account_code),
    Column(key="unit", label=_l("Unit"), value=lambda row: row.unit_code),
    Column(key="roles", label=_l("Roles"), value=_roles),
    Column(key="access_group", label=_l("Access group"), value=lambda row: row.group_name),
    Column(
        key="signing_limit",
        label=_l("Signing limit"),
        value=lambda row: UNLIMITED if row.signs_unlimited else row.signing_limit,
        kind="money",
        currency=lambda row: row.currency,
    ),
    Column(key="manager", label=_l("Manager"), value=lambda row: row.manager_name),
    Column(key="status", label=_l("Status"), value=lambda row: _(STATUS_LABELS[row.status])),
    Column(
        key="signed_in_at",
        label=_l("Last sign-in"),
        value=lambda row: row.signed_in_at,
        kind="instant",
    ),
)
