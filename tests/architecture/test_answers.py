"""Rules for every answer, by walking the url map as somebody who may do most things."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from portal.web.access import access_of
from tests.proofs.routes import address, sample_of
from tests.stage import PortalClient, undone

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def _rules(app: Flask, methods: frozenset[str]) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static" and methods & set(rule.methods or ()):
            yield rule


def _address(app: Flask, rule: Rule) -> str:
    sample = sample_of(rule)
    return address(app, rule, sample.missing if sample else "x")


@pytest.fixture
def administrator(sign_in: Callable[..., PortalClient]) -> PortalClient:
    return sign_in("admin@acme.example")


def test_no_answer_is_kept_by_a_cache(world: Flask, administrator: PortalClient) -> None:
    kept = []
    for rule in _rules(world, frozenset({"GET"})):
        with undone():
            answer = administrator.get(_address(world, rule))
        if answer.headers.get("Cache-Control") != "no-store":
            kept.append(rule.rule)

    assert kept == []


def test_every_answer_carries_the_strict_policy(world: Flask, administrator: PortalClient) -> None:
    for rule in _rules(world, frozenset({"GET"})):
        with undone():
            answer = administrator.get(_address(world, rule))
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';"), rule
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_no_form_is_taken_without_its_token(
    world: Flask, administrator: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(world.config, "WTF_CSRF_ENABLED", True)
    taken = []
    for rule in _rules(world, UNSAFE):
        for method in sorted(UNSAFE & set(rule.methods or ())):
            with undone():
                answer = administrator.open(_address(world, rule), method=method)
            if answer.status_code != 400:
                taken.append(f"{method} {rule.rule}: {answer.status_code}")

    assert taken == []


def test_nothing_is_changed_by_opening_an_address(world: Flask) -> None:
    """GET never changes: a mail scanner that opens links decides nothing."""
    moves = {"approve", "reject", "submit", "withdraw", "place", "confirm", "publish", "discard"}
    opened = [
        rule.rule
        for rule in _rules(world, frozenset({"GET"}))
        if rule.rule.rsplit("/", 1)[-1] in moves and access_of(world, rule.endpoint, "GET")
    ]

    assert opened == []
