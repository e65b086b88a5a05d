"""Reading articles: which a reader may see, one whole, lists, and what answers a question."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true
from sqlalchemy.orm import selectinload

from portal.accounts.models import Account, Person
from portal.catalog.models import Category, Product
from portal.db import db, lock
from portal.errors import N_, NotFoundError
from portal.policy import Actor, Permission
from portal.service.knowledge.models import (
    Article,
    ArticleAccount,
    ArticleAnswer,
    ArticleProduct,
    ArticleText,
    ArticleVersion,
)
from portal.service.knowledge.rules import (
    ArticleStatus,
    Audience,
    Candidate,
    Tab,
    choose_locale,
    excerpt,
    questions,
    rank,
)
from portal.service.knowledge.search_index import found_by, touched_by

MOST_CANDIDATES: Final = 200
"""Articles that hold some word of a question, of which the best are picked."""


class ArticleNotFoundError(NotFoundError):
    """No such article, or not for this reader."""

    message = N_("There is no article {number} that you can see.")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An article that may answer a question."""

    number: str
    title: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Heading:
    """An article as a list shows it, in the reader's language."""

    article: Article
    title: str
    excerpt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleFilter:
    """What a list shows; what is empty does not narrow it."""

    tab: Tab = Tab.PUBLISHED
    text: str = ""
    category_path: str = ""


def can_edit(actor: Actor) -> bool:
    """Whether the actor writes articles, and so sees drafts and what is retired."""
    return actor.can(Permission.ARTICLE_SAVE)


def visible_to(actor: Actor) -> Select[Article]:
    """Select the articles that the actor may read; editors all of them."""
    statement = select(Article)
    if not actor.can(Permission.ARTICLE_READ):
        return statement.where(~true())
    if can_edit(actor):
        return statement
    return statement.where(Article.status == ArticleStatus.PUBLISHED, _for(actor))


def _for(actor: Actor) -> ColumnElement[bool]:
    """Return the condition of an article's audience."""
    named = exists().where(ArticleAccount.article_id == Article.id)
    if not actor.is_supplier:
        own = named.where(ArticleAccount.account_id == actor.account_id)
        return or_(
            Article.audience == Audience.EVERYBODY,
            and_(Article.audience == Audience.ACCOUNTS, own),
        )
    reached = actor.reach(Permission.ARTICLE_READ).account_ids
    if reached is None:
        return true()
    assigned = named.where(ArticleAccount.account_id.in_(sorted(reached)))
    return or_(
        Article.audience.in_([Audience.EVERYBODY, Audience.INTERNAL]),
        and_(Article.audience == Audience.ACCOUNTS, assigned),
    )


def get_article(actor: Actor, number: str, *, for_update: bool = False) -> Article:
    """Return one article with its category, products, accounts, versions and texts.

    Raises:
        ArticleNotFoundError: No such article, or not for this reader.
    """
    statement = visible_to(actor).where(Article.number == number)
    if for_update:
        statement = lock(statement)
    found = db.session.scalar(
        statement.options(
            selectinload(Article.category),
            selectinload(Article.products),
            selectinload(Article.accounts),
            selectinload(Article.versions).selectinload(ArticleVersion.texts),
        )
    )
    if found is None:
        raise ArticleNotFoundError(number=number)
    return found


def version_of(article: Article, number: int) -> ArticleVersion:
    """Return one version of an article.

    Raises:
        ArticleNotFoundError: It has no such version.
    """
    found = next((item for item in article.versions if item.number == number), None)
    if found is None:
        raise ArticleNotFoundError(number=article.number)
    return found


def shown_version(article: Article) -> ArticleVersion:
    """Return what is read: what is published; where nothing is, the draft that editors see."""
    return version_of(article, article.published_version or article.last_version)


def text_in(version: ArticleVersion, locale: str) -> ArticleText:
    """Return a version in a language, or in the one that comes nearest."""
    texts = {text.locale: text for text in version.texts}
    return texts[choose_locale(texts, locale)]


def find_articles(
    actor: Actor, wanted: ArticleFilter, *, locale: str, limit: int | None = None, offset: int = 0
) -> Sequence[Heading]:
    """Return articles in the reader's language, the last published first."""
    statement = (
        _listed(actor, wanted)
        .options(selectinload(Article.category))
        .order_by(func.coalesce(Article.published_at, Article.changed_at).desc(), Article.id.desc())
        .offset(offset)
    )
    if limit is not None:
        statement = statement.limit(limit)
    articles = db.session.scalars(statement).all()
    texts = _texts_of(articles, latest=wanted.tab is not Tab.PUBLISHED)
    return [_heading(article, texts[article.id], locale) for article in articles]


def _heading(article: Article, texts: Mapping[str, ArticleText], locale: str) -> Heading:
    text = texts[choose_locale(texts, locale)]
    return Heading(article, text.title, excerpt(text.body))


def count_by_tab(actor: Actor, wanted: ArticleFilter) -> dict[Tab, int]:
    """Return how many articles each view holds, exactly, in one statement; readers have one."""
    tabs = list(Tab) if can_edit(actor) else [Tab.PUBLISHED]
    statement = (
        visible_to(actor)
        .where(_matches(wanted))
        .with_only_columns(*(func.count().filter(_in_tab(tab)) for tab in tabs))
    )
    found = db.session.execute(statement).one()
    return {tab: int(found[place]) for place, tab in enumerate(tabs)}


def _listed(actor: Actor, wanted: ArticleFilter) -> Select[Article]:
    return visible_to(actor).where(_matches(wanted), _in_tab(wanted.tab))


def _in_tab(tab: Tab) -> ColumnElement[bool]:
    """A change that waits to be published stands beside the drafts as well."""
    return {
        Tab.PUBLISHED: Article.status == ArticleStatus.PUBLISHED,
        Tab.DRAFTS: or_(
            Article.status == ArticleStatus.DRAFT,
            and_(
                Article.status == ArticleStatus.PUBLISHED,
                Article.last_version > Article.published_version,
            ),
        ),
        Tab.RETIRED: Article.status == ArticleStatus.RETIRED,
    }[tab]


def _matches(wanted: ArticleFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text:
        conditions.append(or_(found_by(wanted.text), Article.number == wanted.text.upper()))
    if wanted.category_path:
        path = wanted.category_path
        conditions.append(
            Article.category.has(
                or_(Category.path == path, Category.path.startswith(f"{path}/", autoescape=True))
            )
        )
    return and_(true(), *conditions)


def _texts_of(
    articles: Collection[Article], *, latest: bool = False
) -> dict[int, dict[str, ArticleText]]:
    """Return the texts to show of some articles by language, in one statement."""
    wanted = {
        article.id: article.last_version
        if latest
        else (article.published_version or article.last_version)
        for article in articles
    }
    statement = (
        select(ArticleVersion.article_id, ArticleVersion.number, ArticleText)
        .join(ArticleText, ArticleText.version_id == ArticleVersion.id)
        .where(ArticleVersion.article_id.in_(sorted(wanted)))
    )
    found: dict[int, dict[str, ArticleText]] = {}
    for article_id, number, text in db.session.execute(statement):
        if wanted[article_id] == number:
            found.setdefault(article_id, {})[text.locale] = text
    return found


def suggest(
    actor: Actor, text: str, limit: int = 5, product_id: int | None = None
) -> Sequence[Suggestion]:
    """Return the published articles that answer a question best, in the actor's language.

    Args:
        text: As somebody asks it: a sentence, in any language.
        product_id: What the question is about; articles about it come first.
    """
    asked = questions(text)
    about = _about(product_id)
    if not asked and product_id is None:
        return []
    statement = (
        visible_to(actor)
        .where(
            Article.status == ArticleStatus.PUBLISHED,
            or_(touched_by(asked), Article.id.in_(sorted(about))),
        )
        .order_by(Article.id.in_(sorted(about)).desc(), Article.id.desc())
        .limit(MOST_CANDIDATES)
    )
    articles = {article.number: article for article in db.session.scalars(statement)}
    texts = _texts_of(articles.values())
    candidates = [
        Candidate(
            article.number,
            " ".join(item.title for item in texts[article.id].values()),
            "\n\n".join(item.body for item in texts[article.id].values()),
            article.id in about,
            article.helped - article.not_helped,
        )
        for article in articles.values()
    ]
    best = [articles[item.number] for item in rank(asked, candidates, limit)]
    shown = [_heading(article, texts[article.id], actor.locale) for article in best]
    return [Suggestion(item.article.number, item.title, item.excerpt) for item in shown]


def _about(product_id: int | None) -> set[int]:
    """Return the articles about a product."""
    if product_id is None:
        return set()
    statement = select(ArticleProduct.article_id).where(ArticleProduct.product_id == product_id)
    return set(db.session.scalars(statement))


def find_answer(actor: Actor, article_id: int) -> bool | None:
    """Return whether the actor said that an article helped; ``None`` where they said nothing."""
    statement = select(ArticleAnswer.helped).where(
        ArticleAnswer.article_id == article_id, ArticleAnswer.person_id == actor.person_id
    )
    return db.session.scalar(statement)


def find_categories_in_use(actor: Actor) -> Sequence[Category]:
    """Return the categories that articles for this reader stand in, by path."""
    ids = visible_to(actor).with_only_columns(Article.category_id)
    statement = select(Category).where(Category.id.in_(ids)).order_by(Category.path)
    return db.session.scalars(statement).all()


def find_customer_accounts(actor: Actor) -> Sequence[Account]:
    """Return the customers that an article can be for, by code."""
    reached = actor.reach(Permission.ARTICLE_SAVE).account_ids
    statement = select(Account).where(Account.kind == "customer").order_by(Account.code)
    if reached is not None:
        statement = statement.where(Account.id.in_(sorted(reached)))
    return db.session.scalars(statement).all()


def find_products(skus: Collection[str]) -> Mapping[str, Product]:
    """Return products by SKU."""
    statement = select(Product).where(Product.sku.in_(sorted(skus)))
    return {product.sku: product for product in db.session.scalars(statement)}


def find_names(person_ids: Collection[int]) -> Mapping[int, str]:
    """Return names for a time line and a list of versions."""
    statement = select(Person.id, Person.name).where(Person.id.in_(sorted(person_ids)))
    return dict(db.session.execute(statement).all())
