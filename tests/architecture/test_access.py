"""Access: each view says what it needs, each permission is somebody's."""

import ast

from flask import Flask
from werkzeug.routing import Rule

from portal.policy import GRANTS, Permission, Role
from portal.web.access import access_of
from tests.architecture.sources import modules

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def _methods(rule: Rule) -> set[str]:
    return set(rule.methods or ()) - {"HEAD", "OPTIONS"}


def test_each_view_declares_what_it_needs(app: Flask) -> None:
    undeclared = sorted(
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in _methods(rule)
        if access_of(app, rule.endpoint, method) is None
    )

    assert undeclared == []


def test_nothing_is_changed_by_somebody_unknown(app: Flask) -> None:
    """What the public may send: signing in, asking for a reset, using a single-use link."""
    allowed = {
        "accounts.sign_in",
        "accounts.forgotten",
        "accounts.reset",
        "accounts.invitation",
        "home.preferences",
    }
    found = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if _methods(rule) & UNSAFE and access_of(app, rule.endpoint, "POST") == "public"
    }

    assert found - allowed == set()


def test_each_permission_is_granted_to_somebody() -> None:
    granted = {permission for grants in GRANTS.values() for permission in grants}

    assert set(Permission) - granted == set()


def test_each_role_may_do_something() -> None:
    assert {role for role in Role if not GRANTS.get(role)} == set()


def test_each_permission_guards_something() -> None:
    """A permission that no code asks for promises what nobody keeps."""
    asked = {
        node.attr
        for path, tree in modules("portal")
        if path != "portal/permissions.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    }

    assert {permission for permission in Permission if permission.name not in asked} == set()
