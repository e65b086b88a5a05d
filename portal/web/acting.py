"""Asking a page on somebody's behalf: the worker gets what the person would get at this moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response, current_app, g

from portal.config import Settings
from portal.db import EVERY_ROW, reaching
from portal.policy import Actor
from portal.web.identity import ENVIRON, SignedIn


@contextmanager
def acting_as(actor: Actor, address: str) -> Iterator[Flask]:
    """Run a block as the request of ``address`` by ``actor``: their language, zone and rights.

    The block has a ``g`` and a database session of its own, so that nothing of one person's is
    left for the next.

    Args:
        address: Path and query of a page of the portal.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - the proxy's documented way out
    settings: Settings = app.config["SETTINGS"]
    signed_in = SignedIn(
        session_id=0,
        person_id=actor.person_id or 0,
        email=actor.email,
        name=actor.name,
        locale=actor.locale,
        theme="auto",
        actor=actor,
    )
    request = app.test_request_context(
        address, base_url=settings.base_url, environ_overrides={ENVIRON: signed_in}
    )
    with reaching(EVERY_ROW), app.app_context(), request:
        g.is_job = True
        yield app


def answer_of(actor: Actor, address: str) -> Response:
    """Return the answer to ``GET address`` by ``actor``, through every check of a request."""
    with acting_as(actor, address) as app:
        response = app.full_dispatch_request()
        response.get_data()  # a streamed body is read while its context is there
        return response
