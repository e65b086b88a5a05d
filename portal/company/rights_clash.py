"""Two saves of one membership: what was saved meanwhile beside what was typed."""

from typing import Any

from flask_babel import gettext as _

from portal.accounts.forms import RightsForm
from portal.accounts.rules import Rights
from portal.web.formats import NOTHING, money


def find_clashes(
    form: RightsForm, typed: Rights, saved: Rights, currency: str
) -> list[tuple[str, str]]:
    """Return the label of each field that differs, and a sentence with both values.

    Args:
        form: With its lists filled: they say what a choice is called.
        typed: What was sent, not saved.
        saved: What stands there now.
        currency: Of the signing limit.
    """
    pairs = zip(_texts(form, typed, currency), _texts(form, saved, currency), strict=True)
    return [
        (label, _("saved: %(saved)s; typed by you: %(typed)s", saved=theirs, typed=mine))
        for (label, mine), (_label, theirs) in pairs
        if mine != theirs
    ]


def _texts(form: RightsForm, rights: Rights, currency: str) -> list[tuple[str, str]]:
    roles = sorted(_named(form.roles, role) for role in rights.roles)
    limit = _("unlimited") if rights.signs_unlimited else money(rights.signing_limit, currency)
    return [
        (form.unit_id.label.text, _named(form.unit_id, rights.unit_id)),
        (form.access_group_id.label.text, _named(form.access_group_id, rights.access_group_id)),
        (form.roles.label.text, ", ".join(roles) or NOTHING),
        (form.signing_limit.label.text, limit),
        (form.manager_id.label.text, _named(form.manager_id, rights.manager_id)),
    ]


def _named(field: Any, value: object) -> str:  # noqa: ANN401 - a list of choices of any kind
    """Return what a list calls a value; what it does not offer has no name to show here."""
    text = "" if value is None else str(value)
    return next((str(label) for key, label, *_rest in field.choices if key == text), NOTHING)
