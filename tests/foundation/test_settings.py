"""Settings: read once, typed, and refused at start when something is missing."""

from pathlib import Path

import pytest

from portal.config import SettingsError, describe, load_settings, make_demo_secret

SECRET = "0123456789abcdef0123456789abcdef"


def test_without_a_secret_the_portal_does_not_start(tmp_path: Path) -> None:
    settings = load_settings({"PORTAL_DATA_DIR": str(tmp_path)})

    with pytest.raises(SettingsError, match="PORTAL_SECRET_KEY"):
        settings.require_secret()


def test_a_short_secret_is_as_good_as_none(tmp_path: Path) -> None:
    settings = load_settings({"PORTAL_DATA_DIR": str(tmp_path), "PORTAL_SECRET_KEY": "short"})

    with pytest.raises(SettingsError, match="shorter than 32"):
        settings.require_secret()


def test_a_demo_makes_its_own_secret_and_keeps_it(tmp_path: Path) -> None:
    environ = {"PORTAL_DATA_DIR": str(tmp_path)}
    made = make_demo_secret(load_settings(environ))
    again = load_settings(environ)

    again.require_secret()
    assert again.secret_key == made.secret_key
    assert again.demo_secret_file.stat().st_mode & 0o077 == 0


def test_a_demo_s_secret_is_not_for_the_open_network(tmp_path: Path) -> None:
    environ = {"PORTAL_DATA_DIR": str(tmp_path), "PORTAL_BASE_URL": "https://portal.example"}
    make_demo_secret(load_settings(environ))

    with pytest.raises(SettingsError, match="this machine only"):
        load_settings(environ).require_secret()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORTAL_DATABASE_URL", "mysql://x"),
        ("PORTAL_TIME_ZONE", "Mars/Olympus"),
        ("PORTAL_TRUSTED_PROXIES", "many"),
        ("PORTAL_SMS_URL", "ftp://gateway.example/send"),
        ("PORTAL_SMS_URL", "https:///send"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError):
        load_settings({variable: value})


def test_a_gateway_that_can_not_be_used_is_named_without_its_password() -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings({"PORTAL_SMS_URL": "gateway.example/send?key=hidden"})

    assert "PORTAL_SMS_URL" in str(refusal.value)
    assert "hidden" not in str(refusal.value)


def test_a_bare_postgresql_address_gets_its_driver() -> None:
    settings = load_settings({"PORTAL_DATABASE_URL": "postgresql://app@db/portal"})

    assert settings.database_url == "postgresql+psycopg://app@db/portal"
    assert settings.owner_database_url == settings.database_url


def test_printed_settings_show_no_secret() -> None:
    settings = load_settings(
        {
            "PORTAL_SECRET_KEY": SECRET,
            "PORTAL_DATABASE_URL": "postgresql://app:hunter2@db/portal",
            "PORTAL_SMTP_URL": "smtp://mailer:letmein@mail:25",
        }
    )
    text = "\n".join(" ".join(row) for row in describe(settings))

    assert not {SECRET, "hunter2", "letmein"} & set(
        text.replace("@", " ").replace(":", " ").split()
    )
    assert "mail" in text
