"""Settings: one typed object read from PORTAL_* variables; a missing secret fails at start."""

import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

SECRET_LENGTH: Final = 32


class SettingsError(Exception):
    """A setting is missing or can't be used; the program does not start."""


def _setting(variable: str, meaning: str, *, secret: bool = False) -> Mapping[str, object]:
    return {"variable": variable, "meaning": meaning, "secret": secret}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one process."""

    data_dir: Path = field(
        default=Path("instance"),
        metadata=_setting("PORTAL_DATA_DIR", "Folder for the embedded database, mails and uploads"),
    )
    database_url: str = field(
        default="",
        metadata=_setting(
            "PORTAL_DATABASE_URL",
            "Database of the application; by default SQLite in the data folder",
            secret=True,
        ),
    )
    owner_database_url: str = field(
        default="",
        metadata=_setting(
            "PORTAL_OWNER_DATABASE_URL",
            "The schema owner's database, for migrations alone",
            secret=True,
        ),
    )
    report_database_url: str = field(
        default="",
        metadata=_setting(
            "PORTAL_REPORT_DATABASE_URL",
            "Reserved: reports read the application's database",
            secret=True,
        ),
    )
    secret_key: str = field(
        default="",
        metadata=_setting(
            "PORTAL_SECRET_KEY", "Signs forms and links; at least 32 characters", secret=True
        ),
    )
    base_url: str = field(
        default="http://127.0.0.1:8000",
        metadata=_setting("PORTAL_BASE_URL", "Address of the portal in mails"),
    )
    trusted_hosts: tuple[str, ...] = field(
        default=(),
        metadata=_setting(
            "PORTAL_TRUSTED_HOSTS", "Host names that are answered, separated by commas"
        ),
    )
    trusted_proxies: int = field(
        default=0, metadata=_setting("PORTAL_TRUSTED_PROXIES", "Number of reverse proxies in front")
    )
    time_zone: str = field(
        default="UTC", metadata=_setting("PORTAL_TIME_ZONE", "The supplier's time zone (IANA name)")
    )
    smtp_url: str = field(
        default="",
        metadata=_setting(
            "PORTAL_SMTP_URL",
            "smtp://user:password@host:port or smtps://...; by default .eml files",
            secret=True,
        ),
    )
    mail_from: str = field(
        default="portal@localhost",
        metadata=_setting("PORTAL_MAIL_FROM", "Sender of the portal's mail"),
    )
    sms_url: str = field(
        default="",
        metadata=_setting(
            "PORTAL_SMS_URL",
            "Gateway for alarms by text message (JSON by POST); by default .txt files",
            secret=True,
        ),
    )
    mailbox: str = field(
        default="",
        metadata=_setting(
            "PORTAL_MAILBOX_DIR",
            "Folder whose .eml files become cases and replies; by default in the data folder",
        ),
    )
    supplier_name: str = field(
        default="Northwind Systems",
        metadata=_setting("PORTAL_SUPPLIER_NAME", "The supplier's name, in pages, mails and PDFs"),
    )
    supplier_code: str = field(
        default="SUPPLIER",
        metadata=_setting("PORTAL_SUPPLIER_CODE", "Account code of the supplier's own row"),
    )
    workshop_address: str = field(
        default="",
        metadata=_setting(
            "PORTAL_WORKSHOP_ADDRESS",
            "Where units are sent for repair, on packing slips: its lines, separated by semicolons",
        ),
    )
    jobs_url: str = field(
        default="",
        metadata=_setting("PORTAL_JOBS_URL", "Reserved: jobs run from the database", secret=True),
    )
    demo: bool = field(
        default=False,
        metadata=_setting("PORTAL_DEMO", "1: a demo on a laptop, which makes its own secret"),
    )

    @property
    def workshop_lines(self) -> tuple[str, ...]:
        """The workshop's address line by line; the demo has a made-up one."""
        made_up = "Werkstattweg 12;12345 Beispielstadt;DE" if self.demo else ""
        lines = (self.workshop_address or made_up).split(";")
        return tuple(line.strip() for line in lines if line.strip())

    @property
    def mail_dir(self) -> Path:
        """Folder that receives .eml files when no SMTP server is set."""
        return self.data_dir / "mail"

    @property
    def mail_host(self) -> str:
        """Host in the Message-IDs of the portal's own mail."""
        return self.mail_from.rpartition("@")[2] or "localhost"

    @property
    def exports_dir(self) -> Path:
        """Folder of the files that jobs make, each under the hash of its content."""
        return self.data_dir / "exports"

    @property
    def sms_dir(self) -> Path:
        """Folder that receives text messages when no gateway is set."""
        return self.data_dir / "sms"

    @property
    def mailbox_dir(self) -> Path:
        """Folder that the mail server fills with messages to the service."""
        return Path(self.mailbox) if self.mailbox else self.data_dir / "mailbox"

    @property
    def zone(self) -> ZoneInfo:
        """The supplier's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def is_sqlite(self) -> bool:
        """Whether the application runs on the embedded database."""
        return self.database_url.startswith("sqlite")

    @property
    def demo_secret_file(self) -> Path:
        """Where a demo on a laptop keeps the secret that it made for itself."""
        return self.data_dir / "demo-secret"

    def require_secret(self) -> None:
        """Raise `SettingsError` unless the secret key is fit for the way the portal is run."""
        is_local = urlsplit(self.base_url).hostname in {"127.0.0.1", "localhost", "::1"}
        if self.demo and not is_local:
            message = "The demo answers on this machine only: set PORTAL_SECRET_KEY instead."
            raise SettingsError(message)
        if len(self.secret_key) < SECRET_LENGTH:
            message = "PORTAL_SECRET_KEY is missing or shorter than 32 characters."
            raise SettingsError(message)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from ``environ`` (default: the process's own).

    Raises:
        SettingsError: A value can't be used, or the database's kind is not supported.
    """
    source = os.environ if environ is None else environ
    values: dict[str, object] = {}
    for item in fields(Settings):
        raw = source.get(item.metadata["variable"], "").strip()
        if raw:
            values[item.name] = _typed(item.metadata["variable"], item.name, raw)
    data_dir = Path(str(values.get("data_dir", "instance"))).resolve()
    values["data_dir"] = data_dir
    values.setdefault("database_url", f"sqlite:///{data_dir / 'portal.db'}")
    values["database_url"] = _driver(str(values["database_url"]))
    owner = values.get("owner_database_url")
    values["owner_database_url"] = _driver(str(owner)) if owner else values["database_url"]
    settings = Settings(**values)  # type: ignore[arg-type]  # each value was typed by _typed
    if not settings.secret_key and settings.demo_secret_file.is_file():
        secret = settings.demo_secret_file.read_text().strip()
        return replace(settings, secret_key=secret, demo=True)
    return settings


def make_demo_secret(settings: Settings) -> Settings:
    """Give a demo its own random secret, kept beside its database for the next start."""
    if settings.secret_key:
        return settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    secret = secrets.token_urlsafe(48)
    settings.demo_secret_file.touch(mode=0o600)
    settings.demo_secret_file.write_text(secret)
    return replace(settings, secret_key=secret, demo=True)


def describe(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Yield (variable, value with secrets masked, meaning) for every setting."""
    for item in fields(Settings):
        value = getattr(settings, item.name)
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        if item.metadata["secret"] and text:
            text = _masked(text)
        yield str(item.metadata["variable"]), text, str(item.metadata["meaning"])


def _masked(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme.startswith("sqlite"):
        return text
    return f"{parts.scheme}://…@{parts.hostname}" if parts.hostname else "…"


def _driver(url: str) -> str:
    """Name the drivers that the program is built for, so that a bare address works too."""
    if url.startswith("sqlite"):
        return "sqlite+pysqlite:" + url.partition(":")[2]
    for scheme in ("postgresql+psycopg:", "postgresql:", "postgres:"):
        if url.startswith(scheme):
            return "postgresql+psycopg:" + url.removeprefix(scheme)
    message = "The database address must start with sqlite: or postgresql:"
    raise SettingsError(message)


def _gateway(url: str) -> str:
    """Return the address of a gateway; refuse what is none.

    Raises:
        ValueError: It is no http or https address with a host.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "not an http address"
        raise ValueError(message)
    return url


def _typed(variable: str, name: str, raw: str) -> object:
    try:
        if name == "trusted_proxies":
            return int(raw)
        if name == "time_zone":
            return ZoneInfo(raw).key
        if name == "sms_url":
            return _gateway(raw)
    except (ValueError, OSError, KeyError) as error:
        shown = "…" if name == "sms_url" else raw  # it may carry a password
        message = f"{variable}: “{shown}” can't be used."
        raise SettingsError(message) from error
    if name == "trusted_hosts":
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if name == "demo":
        return raw.lower() in {"1", "true", "yes", "on"}
    return Path(raw) if name == "data_dir" else raw
