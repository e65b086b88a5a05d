"""Putting the house together: the only file that knows every package."""

from datetime import timedelta
from pathlib import Path

import structlog
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.accounts import imports as account_imports
from portal.accounts import notices, sessions
from portal.accounts import views as accounts
from portal.approvals import running as approval_runs
from portal.approvals import views as approvals
from portal.catalog import views as catalog
from portal.catalog.imports import ASSORTMENTS_OF_GROUPS
from portal.catalog.pricing import impact
from portal.company import people, policy
from portal.config import Settings, load_settings
from portal.db import db, engine_options, prepare_engine
from portal.desk import accounts as desk_accounts
from portal.desk import calendars, price_lists
from portal.desk import catalog as desk_catalog
from portal.desk import imports as desk_imports
from portal.desk import stock as desk_stock
from portal.home import jobs, navigation, record
from portal.home import views as home
from portal.jobs.actions import handle
from portal.jobs.worker import recur
from portal.messages import actions as messages
from portal.messages import anchors
from portal.orders import delivering, fulfilment_views, lateness, queue_views, stocking
from portal.orders import queries as orders_queries
from portal.orders import reordering_views as reordering
from portal.orders import views as orders
from portal.orders.delivering import on_delivered
from portal.orders.history import views as past_orders
from portal.quotes import actions as quotes
from portal.quotes import ordering
from portal.quotes import views as quotes_views
from portal.quotes.counting import count_open_quotes
from portal.quotes.guarding import watch_quotes
from portal.quotes.rules import KIND as QUOTE
from portal.reports import exporting, saving_views, scheduling
from portal.reports import views as reports_views
from portal.service import mailbox, watching
from portal.service.assets import actions as assets
from portal.service.assets import pages as asset_pages
from portal.service.assets import views as assets_views
from portal.service.assets.pages import add_source
from portal.service.cases import ending as cases
from portal.service.cases import setup_views as service_setup
from portal.service.cases import views as cases_views
from portal.service.cases.of_assets import cases_of
from portal.service.cases.plugs import also_show
from portal.service.clock import views as service_targets
from portal.service.knowledge import views as articles
from portal.service.repairs import pages as repairs
from portal.service.repairs import parts as repair_parts
from portal.service.repairs import views as repairs_views
from portal.service.repairs.queries import find_parts_of_quote, waits_for_quote
from portal.sms import actions as sms
from portal.web import access, identity, shell, static

_HERE = Path(__file__).parent

BLUEPRINTS = (
    home.bp,
    record.bp,
    jobs.bp,
    saving_views.bp,
    accounts.bp,
    catalog.bp,
    quotes_views.bp,
    approvals.bp,
    orders.bp,
    fulfilment_views.bp,
    queue_views.bp,
    people.bp,
    policy.bp,
    desk_accounts.bp,
    desk_catalog.bp,
    desk_imports.bp,
    price_lists.bp,
    calendars.bp,
    service_targets.bp,
    desk_stock.bp,
    past_orders.bp,
    reordering.bp,
    assets_views.bp,
    articles.bp,
    cases_views.bp,
    service_setup.bp,
    repairs_views.bp,
    reports_views.bp,
)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application for ``settings`` (default: those of the process)."""
    settings = settings or load_settings()
    app = Flask(
        __name__,
        template_folder=str(_templates()),
        static_folder=str(static.FOLDER),
        static_url_path=static.url_path(),
    )
    _configure(app, settings)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    _plug_in()
    identity.init_app(app, sessions.load_session)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    shell.init_app(app)  # before access: a form without its token is refused first
    access.init_app(app)
    navigation.plug_in(app)
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
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # the documented way to wrap an app
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ]
    )


def _plug_in() -> None:
    """Plug in at the top what must travel upwards through the layers: one line per kind."""
    notices.plug_in(messages.tell)
    account_imports.set_assortments_hook(ASSORTMENTS_OF_GROUPS)
    impact.count_open_quotes_with(count_open_quotes)
    approval_runs.on_outcome(QUOTE, quotes.settle, lock=quotes.lock_subject)
    ordering.set_ordered_quantities_hook(orders_queries.find_ordered_quantities)
    ordering.set_ordered_of_hook(orders_queries.find_ordered_of)
    on_delivered(assets.take_in_delivered)
    watch_quotes(repair_parts.follow_quote, waits_for_quote)
    stocking.ask_repairs_with(find_parts_of_quote)
    also_show("repair", repairs.part_of_case)
    add_source(repairs.repairs_of_asset)
    asset_pages.add_source(cases_of)
    handle(messages.DELIVER, messages.deliver)
    handle(anchors.MAIL, anchors.mail_anchors)
    handle(sms.SEND, sms.deliver)
    handle(watching.ALARM_MAIL, watching.mail_alarm)
    recur("service.watch", timedelta(minutes=5), watching.watch_cases)
    recur("service.mailbox", timedelta(seconds=10), mailbox.fetch_mail)
    handle(quotes.EXPIRE, quotes.expire_due)
    handle(quotes.REMIND, quotes.remind_due)
    handle(
        exporting.EXPORT,
        exporting.export,
        most_attempts=exporting.MOST_ATTEMPTS,
        failed=exporting.export_failed,
    )
    handle(scheduling.MAIL, scheduling.send_report, most_attempts=scheduling.MOST_ATTEMPTS)
    recur("reports.plan", timedelta(minutes=1), scheduling.plan_reports)
    recur("record.anchors", timedelta(hours=1), anchors.plan_anchors)
    recur("jobs.sweep", timedelta(hours=1), exporting.sweep)
    recur("quotes.expire", timedelta(minutes=5), quotes.expire_quotes)
    recur("cases.close", timedelta(hours=1), cases.close_resolved)
    recur("orders.late", timedelta(minutes=15), lateness.note_late)
    recur("orders.close", timedelta(hours=1), delivering.close_delivered)
