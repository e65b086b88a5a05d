"""What the pages of articles show, as plain data for their templates."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import gettext as _
from markupsafe import Markup

from portal.catalog.models import Product
from portal.catalog.queries import find_categories, visible_products
from portal.catalog.rules import local_name
from portal.db import db
from portal.events.queries import find_events
from portal.policy import Actor
from portal.service.knowledge import queries
from portal.service.knowledge.actions import Draft
from portal.service.knowledge.forms import KEYS, ArticleForm
from portal.service.knowledge.markdown import render_markdown
from portal.service.knowledge.models import Article, ArticleText, ArticleVersion
from portal.service.knowledge.queries import ArticleFilter
from portal.service.knowledge.rules import KIND, LABELS, Audience, Move, Tab
from portal.web.addresses import url_with
from portal.web.locale import LANGUAGES, current_language
from portal.web.timeline import TimelineEntry, entries_of

MOST_TEXT: Final = 120
_SEPARATORS: Final = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class ArticlePage:
    """One article as its page shows it."""

    article: Article
    version: ArticleVersion
    text: ArticleText
    html: Markup
    languages: Sequence[tuple[str, str, bool]]
    products: Sequence[Product]
    answer: bool | None
    is_editor: bool
    is_latest: bool
    moves: Sequence[str]
    authors: Mapping[int, str]
    accounts: Sequence[str]
    timeline: Sequence[TimelineEntry]


def filter_of(actor: Actor, args: Mapping[str, str]) -> ArticleFilter:
    """Read a list's filter from the address; readers only ever see what is published."""
    asked = args.get("view", "")
    tab = Tab(asked) if asked in set(Tab) and queries.can_edit(actor) else Tab.PUBLISHED
    return ArticleFilter(
        tab=tab,
        text=args.get("q", "").strip()[:MOST_TEXT],
        category_path=args.get("category", "").strip()[:500],
    )


def views_of(wanted: ArticleFilter, counts: Mapping[Tab, int]) -> list[tuple[str, str, bool, int]]:
    """Return the tabs of the list: label, address, whether it is shown, exact count."""
    return [
        (_(tab.label), url_with(view=tab.value, page=None), tab is wanted.tab, count)
        for tab, count in counts.items()
    ]


def show_article(
    actor: Actor, article: Article, *, version: int | None = None, language: str = ""
) -> ArticlePage:
    """Return an article's page; a version other than the published one is for editors.

    Raises:
        ArticleNotFoundError: No such version for this reader.
    """
    is_editor = queries.can_edit(actor)
    shown = queries.shown_version(article)
    if version is not None and version != shown.number:
        if not is_editor:
            raise queries.ArticleNotFoundError(number=article.number)
        shown = queries.version_of(article, version)
    tag = language if language in LANGUAGES else current_language().tag
    text = queries.text_in(shown, tag)
    return ArticlePage(
        article=article,
        version=shown,
        text=text,
        html=render_markdown(text.body),
        languages=[
            (item.locale, _language_name(item.locale), item is text) for item in shown.texts
        ],
        products=_products(actor, article),
        answer=queries.find_answer(actor, article.id),
        is_editor=is_editor,
        is_latest=shown.number == article.last_version,
        moves=_moves(article) if is_editor else (),
        authors=_authors(article) if is_editor else {},
        accounts=_accounts(actor, article) if is_editor else (),
        timeline=_timeline(actor, article) if is_editor else (),
    )


def _language_name(tag: str) -> str:
    known = LANGUAGES.get(tag)
    return known.name if known else tag


def _products(actor: Actor, article: Article) -> Sequence[Product]:
    """Return the products that an article is about, as far as the reader's catalogue has them."""
    ids = sorted(product.id for product in article.products)
    if not ids:
        return []
    statement = visible_products(actor, with_ended=True).where(Product.id.in_(ids))
    return db.session.scalars(statement.order_by(Product.sku)).all()


def _moves(article: Article) -> list[str]:
    """Return the steps that an editor can take now."""
    is_done = article.published_version == article.last_version
    return [
        move.name.lower()
        for move in Move
        if article.status in move.sources
        and not (move is Move.PUBLISH and article.status is move.target and is_done)
    ]


def _authors(article: Article) -> Mapping[int, str]:
    return queries.find_names({item.person_id for item in article.versions if item.person_id})


def _accounts(actor: Actor, article: Article) -> list[str]:
    ids = {item.account_id for item in article.accounts}
    return [item.code for item in queries.find_customer_accounts(actor) if item.id in ids]


def _timeline(actor: Actor, article: Article) -> list[TimelineEntry]:
    events = find_events(actor.account_id, [(KIND, article.id)])
    names = queries.find_names({event.person_id for event in events if event.person_id})
    return entries_of(events, LABELS, names)[::-1]


def edit_form(
    actor: Actor, article: Article | None, form: ArticleForm | None = None
) -> ArticleForm:
    """Return the editor's form with its choices; without one as typed, as the article is."""
    form = form or ArticleForm(formdata=None, **_values(actor, article))
    form.accounts.choices = [
        (item.code, f"{item.code} – {item.name}") for item in queries.find_customer_accounts(actor)
    ]
    locale = current_language().tag
    form.category.choices = [
        ("", "–"),
        *(
            (item.path, "\u2003" * (item.depth - 1) + local_name(item.name, item.names, locale))
            for item in find_categories()
        ),
    ]
    return form


def _values(actor: Actor, article: Article | None) -> dict[str, Any]:
    if article is None:
        return {"audience": Audience.EVERYBODY.value}
    values: dict[str, Any] = {
        "audience": article.audience.value,
        "accounts": _accounts(actor, article),
        "category": article.category.path if article.category else "",
        "skus": ", ".join(product.sku for product in article.products),
        "version": str(article.version),
    }
    for text in queries.version_of(article, article.last_version).texts:
        if text.locale in KEYS:
            values[f"title_{KEYS[text.locale]}"] = text.title
            values[f"body_{KEYS[text.locale]}"] = text.body
    return values


def draft_of(form: ArticleForm) -> Draft:
    """Return what an editor typed."""
    return Draft(
        texts=form.texts,
        audience=Audience(form.audience.data),
        accounts=tuple(form.accounts.data or ()),
        category_path=form.category.data or "",
        skus=[part for part in _SEPARATORS.split(form.skus.data or "") if part],
    )
