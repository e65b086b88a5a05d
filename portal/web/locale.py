"""Languages: which ones there are, which one this request speaks, and its names in each library."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_domain, get_locale
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from portal.web.identity import SignedIn, current_signed_in

COOKIE: Final = "portal_locale"


@dataclass(frozen=True, slots=True)
class Language:
    """One language and its names: BCP 47 for us and HTML, then Babel's and WTForms' spelling.

    WTForms knows ``zh`` and ``zh_TW``; given anything else for Traditional Chinese it shows
    Simplified without a word.
    """

    tag: str
    babel: str
    wtforms: str
    name: str


LANGUAGES: Final[Mapping[str, Language]] = {
    language.tag: language
    for language in (
        Language("en", "en", "en", "English"),
        Language("zh-Hans", "zh_Hans", "zh", "简体中文"),
        Language("zh-Hant", "zh_Hant", "zh_TW", "繁體中文"),
        Language("ko", "ko", "ko", "한국어"),
    )
}
DEFAULT: Final = LANGUAGES["en"]

_TRADITIONAL: Final = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")


def language_of(tag: str | None) -> Language | None:
    """Return our language for a BCP 47 tag as browsers and accounts write it, or None."""
    text = (tag or "").replace("_", "-").lower()
    if text.startswith(_TRADITIONAL):
        return LANGUAGES["zh-Hant"]
    primary = text.partition("-")[0]
    return LANGUAGES["zh-Hans"] if primary == "zh" else LANGUAGES.get(primary)


def babel_code(tag: str | None) -> str:
    """Return Babel's spelling for a tag, English where it is none of ours; for mails and files."""
    return (language_of(tag) or DEFAULT).babel


def signed_in_or_none() -> SignedIn | None:
    """Return who is signed in; nobody outside a request and on the page of a failed one.

    After a failure the database may be the thing that failed, so nobody asks it again.
    """
    if not has_request_context() or g.get("request_failed"):
        return None
    return current_signed_in()


def current_language() -> Language:
    """Return what this request speaks: the person's setting, the cookie, what the browser asks."""
    if not has_request_context():
        return DEFAULT
    person = signed_in_or_none()
    chosen = language_of(person.locale if person else None)
    return chosen or language_of(request.cookies.get(COOKIE)) or _asked_for()


def _asked_for() -> Language:
    for tag, _quality in request.accept_languages:
        language = language_of(tag)
        if language:
            return language
    return DEFAULT


def current_time_zone() -> str:
    """Return the IANA name of the actor's time zone, UTC before anybody is known."""
    person = signed_in_or_none()
    return person.actor.time_zone if person and person.actor else "UTC"


def language_in_force() -> str:
    """Return Babel's name of the language that is written now, outside a request English.

    A page asks for it hundreds of times, so Flask-Babel is asked seldom, and the name is made
    without Babel's checks.
    """
    try:
        held: Locale | None = g._flask_babel.babel_locale  # noqa: SLF001 - set by Flask-Babel
    except (AttributeError, RuntimeError):
        held = get_locale()
    if held is None:
        return DEFAULT.babel
    language: str = held.language
    return f"{language}_{held.script}" if held.script else language


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(language: str) -> NullTranslations:  # noqa: ARG001 - the key of what is in force
    catalogue: NullTranslations = get_domain().get_translations()
    return catalogue


@lru_cache(maxsize=8_192)
def _plain(language: str, text: str, is_markup: bool) -> str:  # noqa: FBT001 - asked for by place: often
    """Return the translation of a text without variables, as templates write it."""
    translated: str = _catalogue(language).gettext(text)
    return Markup(translated) % {} if is_markup else translated % {}  # noqa: S704 - our own texts


@pass_eval_context
def _gettext(context: EvalContext, text: str, /, **variables: Any) -> str:  # noqa: ANN401 - of a template
    """Translate in a template; as Jinja does, always a format string that escapes what it takes."""
    language = language_in_force()
    if not variables:
        return _plain(language, text, bool(context.autoescape))
    translated = _catalogue(language).gettext(text)
    return (Markup(translated) if context.autoescape else translated) % variables  # noqa: S704


@pass_eval_context
def _ngettext(
    context: EvalContext,
    singular: str,
    plural: str,
    number: int,
    /,
    **variables: Any,  # noqa: ANN401 - of a template
) -> str:
    translated = _catalogue(language_in_force()).ngettext(singular, plural, number)
    variables.setdefault("num", number)
    return (Markup(translated) if context.autoescape else translated) % variables  # noqa: S704


def init_app(app: Flask) -> None:
    """Start Flask-Babel with the catalogues that are shipped inside the package."""
    Babel(
        app,
        default_translation_directories=str(Path(__file__).parent.parent / "translations"),
        locale_selector=lambda: current_language().babel,
        timezone_selector=current_time_zone,
    )
    app.jinja_env.globals.update(_=_gettext, gettext=_gettext, ngettext=_ngettext)
