"""Every word a person sees is there in every language."""

import re
from functools import lru_cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
LOCALES = ["zh_Hans", "zh_Hant", "ko"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|\{\w*\}")
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
}


@lru_cache
def catalogue(locale: str) -> Catalog:
    path = ROOT / "portal" / "translations" / locale / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale=locale)


@lru_cache
def used() -> frozenset[str]:
    """Message ids in code and templates; the singular stands for a plural pair."""
    found: set[str] = set()
    for folder, methods in (
        ("portal", [("**.py", "python")]),
        ("templates", [("**.html", "jinja2"), ("**.txt", "jinja2")]),
    ):
        for _file, _line, text, _comments, _context in extract_from_dir(
            ROOT / folder, method_map=methods, keywords=KEYWORDS
        ):
            found.add(text if isinstance(text, str) else text[0])
    return frozenset(found - {""})


def entries(locale: str) -> dict[str, Message]:
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message
        for message in catalogue(locale)
        if message.id
    }


def written(message: Message) -> list[str]:
    text = message.string or ""
    return [text] if isinstance(text, str) else list(text)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_catalogue_holds_exactly_the_texts_in_use(locale: str) -> None:
    assert len(used()) > 100
    assert set(entries(locale)) == used()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_translated_and_none_is_a_guess(locale: str) -> None:
    lacking = [
        key
        for key, message in entries(locale).items()
        if message.fuzzy or not all(written(message))
    ]

    assert lacking == []


@pytest.mark.parametrize("locale", LOCALES)
def test_a_translation_keeps_the_placeholders(locale: str) -> None:
    differing = {}
    for key, message in entries(locale).items():
        originals = [message.id] if isinstance(message.id, str) else list(message.id)
        wanted = sorted(set(PLACEHOLDER.findall(originals[-1])))
        if any(sorted(set(PLACEHOLDER.findall(text))) != wanted for text in written(message)):
            differing[key] = written(message)

    assert differing == {}


@pytest.mark.parametrize("locale", LOCALES)
def test_a_catalogue_has_one_plural_form(locale: str) -> None:
    assert catalogue(locale).num_plurals == 1


def test_traditional_chinese_is_not_simplified_chinese() -> None:
    simplified, traditional = entries("zh_Hans"), entries("zh_Hant")

    assert traditional["Quotes"].string == "報價單"
    assert simplified["Quotes"].string == "报价单"
