"""The words of articles: states, audiences, languages, and what answers a question best. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from math import log
from typing import Final

from portal.catalog.search import Term, Token, document, finds, fold, parse_query
from portal.errors import N_, ConflictError, InvalidError
from portal.lifecycle import State, Step
from portal.policy import Actor, Permission

KIND: Final = "article"
MOST_TITLE: Final = 200
MOST_BODY: Final = 40_000
MOST_PRODUCTS: Final = 100


@unique
class ArticleStatus(State):
    """Where an article stands."""

    DRAFT = "draft", N_("draft"), "work"
    PUBLISHED = "published", N_("published"), "ok"
    RETIRED = "retired", N_("retired"), "idle"


S = ArticleStatus


@unique
class Audience(StrEnum):
    """Who an article is for."""

    EVERYBODY = "everybody"
    ACCOUNTS = "accounts"
    INTERNAL = "internal"

    @property
    def label(self) -> str:
        """The marked words of the page."""
        return _AUDIENCES[self]


_AUDIENCES: Final = {
    Audience.EVERYBODY: N_("everybody"),
    Audience.ACCOUNTS: N_("some accounts"),
    Audience.INTERNAL: N_("the supplier's own people"),
}


class NothingNewError(ConflictError):
    """Everything that was written is published already."""

    message = N_("Article {number} has no changes that are not published.")


class NoTextError(InvalidError):
    """An article needs a title and a text in one language at least."""

    message = N_("Write a title and a text in one language at least.")


class HalfTextError(InvalidError):
    """A title without a text, or a text without a title."""

    message = N_("{language}: write both, the title and the text.")


class TooManyProductsError(InvalidError):
    """An article has a limit."""

    message = N_("An article is about {most} products at most.")
    field = "skus"


class NoAccountsError(InvalidError):
    """An article for some accounts names none."""

    message = N_("Choose the accounts that this article is for.")
    field = "accounts"


@unique
class Move(Step):
    """Every step an article can take."""

    # fmt: off
    #          from                       to           who may
    PUBLISH = ({S.DRAFT, S.PUBLISHED},    S.PUBLISHED, Permission.ARTICLE_SAVE)
    RETIRE  = ({S.DRAFT, S.PUBLISHED},    S.RETIRED,   Permission.ARTICLE_SAVE)
    RESTORE = ({S.RETIRED},               S.DRAFT,     Permission.ARTICLE_SAVE)
    # fmt: on

    def apply(self, status: ArticleStatus, actor: Actor, number: str) -> ArticleStatus:
        """Return the new state; raise `NotAllowedError` or `IllegalMoveError`."""
        self.check(status, actor, number)
        return ArticleStatus(self.target)


LABELS: Final = {
    "article.created": N_("Article written"),
    "article.changed": N_("Article changed"),
    "article.published": N_("Article published"),
    "article.retired": N_("Article taken back"),
    "article.restored": N_("Article brought back as a draft"),
    "article.helped": N_("Reader said whether it helped"),
}
"""Verb of an event -> what the time line says."""


@unique
class Tab(StrEnum):
    """The views of the list; readers see what is published."""

    PUBLISHED = "published"
    DRAFTS = "drafts"
    RETIRED = "retired"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return _TABS[self]


_TABS: Final = {
    Tab.PUBLISHED: N_("Published"),
    Tab.DRAFTS: N_("Drafts and changes"),
    Tab.RETIRED: N_("Retired"),
}


@dataclass(frozen=True, slots=True)
class Text:
    """An article in one language: its title, and its body in Markdown."""

    title: str
    body: str


def check_texts(texts: Mapping[str, Text], names: Mapping[str, str]) -> dict[str, Text]:
    """Return the languages that are filled, or refuse.

    Args:
        texts: By language tag, as typed.
        names: Language tag -> its name, for the refusal.

    Raises:
        NoTextError: Nothing is written.
        HalfTextError: One language has a title without a text, or the other way round.
    """
    filled: dict[str, Text] = {}
    for locale, text in texts.items():
        title, body = text.title.strip(), text.body.strip()
        if bool(title) != bool(body):
            raise HalfTextError(language=names[locale])
        if title:
            filled[locale] = Text(title, body)
    if not filled:
        raise NoTextError
    return filled


def choose_locale(known: Iterable[str], wanted: str) -> str:
    """Return the language to show: the wanted one, a related one, English, or the first.

    Readers of either Chinese script would rather read the other one than English.
    """
    there = sorted(known)
    language = wanted.partition("-")[0]
    related = [tag for tag in there if tag.partition("-")[0] == language]
    for tag in (wanted, *related, "en"):
        if tag in there:
            return tag
    return there[0]


_MARKS: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[#>*_`~|]+|^\s*(?:[-+]|\d+\.)\s", re.MULTILINE)
_BLANKS: Final = re.compile(r"\s+")


def plain(body: str) -> str:
    """Return Markdown as plain running text, for excerpts and for searching."""
    return _BLANKS.sub(" ", _MARKS.sub(r"\1", body)).strip()


def excerpt(body: str, length: int = 160) -> str:
    """Return how a text begins, cut at a blank where there is one."""
    text = plain(body)
    if len(text) <= length:
        return text
    cut = text[:length]
    whole = cut.rpartition(" ")[0]
    return (whole if len(whole) > length // 2 else cut).rstrip(" ,.;:") + "…"


_STOP: Final = frozenset(
    [
        *("about", "after", "all", "also", "and", "any", "are", "but", "can", "cannot", "could"),
        *("did", "does", "doesn", "don", "for", "from", "get", "had", "has", "have", "hello"),
        *("help", "how", "into", "its", "just", "more", "need", "not", "one", "our", "out", "over"),
        *("please", "since", "some", "than", "that", "the", "their", "them", "then", "there"),
        *("they", "this", "too", "very", "was", "were", "what", "when", "where", "which", "who"),
        *("why", "will", "with", "without", "won", "would", "you", "your"),
    ]
)
_LEAST: Final = 3
_STEMS: Final = ((8, 3), (5, 1))
"""From this length on a word is looked up without so many of its last letters."""


def questions(text: str) -> tuple[Term, ...]:
    """Return the words of a question that say something, each as the beginning of words.

    A question is a sentence, not a query: small words are left out and endings cut, so that
    "monitors" finds "monitor". Of Chinese and Korean each pair of characters counts by itself.
    """
    kept: list[Term] = []
    for chunk in fold(text).replace("'", " ").split():
        for term in parse_query(chunk):
            word = term[0][0].text
            if not word.isascii():
                kept.extend(((token,),) for way in term for token in way)
            elif len(word) >= _LEAST and word not in _STOP:
                kept.append((*((Token(_stem(word)),),), *term))
    return tuple(dict.fromkeys(kept))[:20]


def _stem(word: str) -> str:
    for length, cut in _STEMS:
        if len(word) >= length and word.isalpha():
            return word[:-cut]
    return word


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article as the ranking sees it."""

    number: str
    title: str
    body: str
    is_about: bool = False
    """Whether it is about the very product that is asked about."""
    balance: int = 0
    """How many readers more it helped than it did not."""


_TITLE_COUNTS: Final = 3.0
_PRODUCT_COUNTS: Final = 2.0
_BALANCE_COUNTS: Final = 0.05
_SHARE: Final = 0.34
"""Of the question's words so many must be in the text, weighed by how rare they are."""


def rank(asked: Sequence[Term], candidates: Sequence[Candidate], limit: int) -> list[Candidate]:
    """Return the articles that answer a question best, best first.

    A word counts the more the fewer articles have it, and threefold in a title; articles about the
    product come before others, and what helped more people decides between equals.
    """
    titles = [document((item.title,), ()) for item in candidates]
    words = [
        document((item.title, plain(item.body)), (item.number,)) | title
        for item, title in zip(candidates, titles, strict=True)
    ]
    having = {term: sum(finds((term,), known) for known in words) for term in asked}
    weight = {term: log(1 + len(candidates) / (1 + count)) + 0.1 for term, count in having.items()}
    total = sum(weight.values())
    scored: list[tuple[float, str, Candidate]] = []
    for item, title, known in zip(candidates, titles, words, strict=True):
        found = sum(weight[term] for term in asked if finds((term,), known))
        heading = sum(weight[term] for term in asked if finds((term,), title))
        if not (item.is_about or (total and found / total >= _SHARE) or heading):
            continue
        score = found + (_TITLE_COUNTS - 1) * heading + _PRODUCT_COUNTS * item.is_about
        scored.append((-(score + _BALANCE_COUNTS * item.balance), item.number, item))
    return [item for _score, _number, item in sorted(scored, key=lambda row: row[:2])[:limit]]
