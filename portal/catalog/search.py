"""Words for searching: what a product can be found by, and what a typed query asks for. Pure.

A product is found by its words, by any fragment of its codes, and by two neighbouring characters of
Chinese, Japanese or Korean. Codes are indexed as all their endings: a fragment inside a code is
then the beginning of one of them, which both databases find by their index.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

LONGEST_CODE: Final = 64
MOST_TERMS: Final = 12
"""Terms of a query that count: enough for a product's full name, too few for an attack."""

_CJK: Final = (
    "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u1100-\u11ff\uac00-\ud7af"
    "\U00020000-\U0003134f"
)
_RUNS: Final = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_IS_CJK: Final = re.compile(f"[{_CJK}]")
_PARTS: Final = re.compile(r"\d+|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Token:
    """One word looked up, as a whole or as the beginning of words."""

    text: str
    is_prefix: bool = True


Alternative = tuple[Token, ...]
"""Tokens of which all must be there."""
Term = tuple[Alternative, ...]
"""Alternatives of which one must hold; a query is a sequence of terms that all must hold."""


def fold(text: str) -> str:
    """Return text in the one form in which it is compared: compatible, no case, no accents."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(char for char in decomposed if not unicodedata.category(char).startswith("M"))
    return unicodedata.normalize("NFKC", plain)


def compact(text: str) -> str:
    """Return the letters and digits of a code in one piece: ``lt5440`` for ``LT-5440``."""
    return "".join(_RUNS.findall(fold(text)))


def document(texts: Iterable[str | None], codes: Iterable[str | None]) -> frozenset[str]:
    """Return every word by which a product is found."""
    words: set[str] = set()
    for text in texts:
        words.update(_words(text or ""))
    for code in codes:
        words.update(_words(code or ""))
        words.update(_endings(compact(code or "")[:LONGEST_CODE]))
    return frozenset(words)


def parse_query(text: str) -> tuple[Term, ...]:
    """Return what a typed query asks for; empty where it holds no letter and no digit."""
    terms: list[Term] = []
    for chunk in fold(text).split():
        terms.extend(_terms(chunk))
    return tuple(dict.fromkeys(terms))[:MOST_TERMS]


def finds(query: Iterable[Term], words: frozenset[str]) -> bool:
    """Whether a document answers a query: what both databases' indexes must agree with."""
    return all(any(all(_has(token, words) for token in way) for way in term) for term in query)


def to_fts5(query: Iterable[Term]) -> str:
    """Write a query for SQLite's FTS5; the words hold no quotes, so nothing can be smuggled in."""
    return _written(query, '"{}"', '"{}"*', " AND ", " OR ")


def to_tsquery(query: Iterable[Term]) -> str:
    """Write a query for PostgreSQL, as text to be cast to ``tsquery``."""
    return _written(query, "'{}'", "'{}':*", " & ", " | ")


def _written(query: Iterable[Term], whole: str, prefix: str, both: str, either: str) -> str:
    def way(tokens: Alternative) -> str:
        return both.join((prefix if t.is_prefix else whole).format(t.text) for t in tokens)

    return both.join("(" + either.join(f"({way(each)})" for each in term) + ")" for term in query)


def _has(token: Token, words: frozenset[str]) -> bool:
    if token.is_prefix:
        return any(word.startswith(token.text) for word in words)
    return token.text in words


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text: whole, in one piece where hyphened, and letters from digits."""
    for chunk in fold(text).split():
        runs = _RUNS.findall(chunk)
        latin = [run for run in runs if not _IS_CJK.match(run)]
        if len(latin) > 1:
            yield "".join(latin)[:LONGEST_CODE]
        for run in runs:
            if _IS_CJK.match(run):
                yield from _bigrams(run)
                yield run[-1]
            else:
                yield run[:LONGEST_CODE]
                yield from _PARTS.findall(run[:LONGEST_CODE])


def _bigrams(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)]


def _endings(code: str) -> Iterator[str]:
    for start in range(len(code)):
        yield code[start:]


def _terms(chunk: str) -> Iterator[Term]:
    """Yield what one piece without blanks asks for."""
    runs = _RUNS.findall(chunk)
    latin = [run for run in runs if not _IS_CJK.match(run)]
    for run in runs:
        if _IS_CJK.match(run):
            pairs = _bigrams(run)
            tokens = tuple(Token(pair, is_prefix=False) for pair in pairs) or (Token(run),)
            yield (tokens,)
    if latin:
        whole = "".join(latin)[:LONGEST_CODE]
        parts = tuple(Token(part) for run in latin for part in _PARTS.findall(run))
        ways: tuple[Alternative, ...] = ((Token(whole),),)
        yield (*ways, parts) if len(parts) > 1 else ways
