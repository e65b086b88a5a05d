"""Putting the house together: the only file that knows every package."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import structlog
from flask import Flask

from portal.accounts.imports import set_assortments_hook
from portal.catalog.imports import ASSORTMENTS_OF_GROUPS
from portal.config import Settings, load_settings
from portal.db import db, engine_options, prepare_engine
from portal.jobs.actions import handle
from portal.messages import actions as messages
from portal.web import access, identity, static

_HERE = Path(__file__).parent


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application for ``settings`` (default: those of the process)."""
    settings = settings or load_settings()
    app = Flask(
        __name__,
        template_folder=str(_templates()),
        static_folder=str(_HERE / "static"),
        static_url_path=static.url_path(),
    )
    _configure(app, settings)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    _plug_in(app)
    return app


def _templates() -> Path:
    """Return the templates: beside the package in a checkout, inside it in a wheel."""
    inside = _HERE / "templates"
    return inside if inside.is_dir() else _HERE.parent / "templates"


def _configure(app: Flask, settings: Settings) -> None:
    if settings.is_sqlite:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key or None,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
        SESSION_COOKIE_NAME="portal_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https:"),
        MAX_CONTENT_LENGTH=64 * 1024 * 1024,
        MAX_FORM_PARTS=20_000,
        MAX_FORM_MEMORY_SIZE=8 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ]
    )


def _plug_in(app: Flask) -> None:
    handle(messages.DELIVER, messages.deliver)
    if _exists("portal.accounts.sessions"):
        identity.init_app(app, import_module("portal.accounts.sessions").load_session)
    set_assortments_hook(ASSORTMENTS_OF_GROUPS)
    # While the packages are being born: whatever exists is registered.
    for name in (
        "portal.accounts.views",
        "portal.catalog.views",
        "portal.quotes.views",
        "portal.approvals.views",
        "portal.orders.views",
        "portal.company.people",
        "portal.company.policy",
        "portal.desk.accounts",
        "portal.desk.catalog",
        "portal.desk.price_lists",
        "portal.desk.imports",
        "portal.home.views",
    ):
        if _exists(name):
            app.register_blueprint(import_module(name).bp)
    access.init_app(app)
    if _exists("portal.web.shell"):
        import_module("portal.web.shell").init_app(app)
    if _exists("portal.home.navigation"):
        import_module("portal.home.navigation").plug_in(app)


def _exists(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
