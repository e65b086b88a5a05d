"""Writing articles, publishing them, and noting whether they helped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update

from portal.catalog.models import Category, Product
from portal.db import db, lock, next_number, transaction
from portal.errors import N_, ConflictError, InvalidError, NotAllowedError
from portal.events.actions import record
from portal.policy import Actor, Permission
from portal.service.knowledge import queries
from portal.service.knowledge.models import (
    Article,
    ArticleAccount,
    ArticleAnswer,
    ArticleText,
    ArticleVersion,
)
from portal.service.knowledge.rules import (
    KIND,
    MOST_PRODUCTS,
    Audience,
    Move,
    NoAccountsError,
    NothingNewError,
    Text,
    TooManyProductsError,
    check_texts,
)
from portal.service.knowledge.search_index import index_article
from portal.web.locale import LANGUAGES


class ArticleChangedError(ConflictError):
    """Somebody else saved first."""

    message = N_("Article {number} was changed by somebody else meanwhile: nothing is overwritten.")


class UnknownCategoryError(InvalidError):
    """No such category."""

    message = N_("Choose one of the list.")
    field = "category"


class UnknownProductError(InvalidError):
    """No such product."""

    message = N_("There is no product {sku}.")
    field = "skus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an editor writes: texts by language, for whom, and what it is about."""

    texts: Mapping[str, Text] = field(default_factory=dict)
    audience: Audience = Audience.EVERYBODY
    accounts: Sequence[str] = ()
    category_path: str = ""
    skus: Sequence[str] = ()


def write_article(actor: Actor, draft: Draft, *, now: datetime) -> Article:
    """Make an article as a draft.

    Raises:
        NotAllowedError: The actor doesn't write articles.
        InvalidError: See `Draft`; each refusal names its field.
    """
    actor.must(Permission.ARTICLE_SAVE)
    texts = check_texts(draft.texts, _names())
    with transaction():
        article = Article(
            number=next_number(KIND, "K"),
            created_at=now,
            changed_at=now,
            products=[],
            accounts=[],
            versions=[],
        )
        db.session.add(article)
        _describe(actor, article, draft)
        db.session.flush()
        article.versions.append(_version(actor, 1, texts, now))
        db.session.flush()
        _index(article)
        _note(actor, article, "article.created", now)
    return article


def save_article(
    actor: Actor, number: str, draft: Draft, *, version: int, now: datetime
) -> Article:
    """Save what an editor wrote; of a published article it waits in a new version.

    Args:
        version: Of the article as it was opened.

    Raises:
        ArticleNotFoundError, NotAllowedError: Not this article, not this person.
        ArticleChangedError: Somebody else saved meanwhile; nothing is overwritten.
        InvalidError: See `Draft`.
    """
    actor.must(Permission.ARTICLE_SAVE)
    texts = check_texts(draft.texts, _names())
    with transaction():
        article = queries.get_article(actor, number, for_update=True)
        if article.version != version:
            raise ArticleChangedError(number=number)
        last = queries.version_of(article, article.last_version)
        if last.published_at is None:
            _rewrite(actor, last, texts, now)
        elif texts != {item.locale: Text(item.title, item.body) for item in last.texts}:
            article.last_version += 1
            article.versions.append(_version(actor, article.last_version, texts, now))
        _describe(actor, article, draft)
        article.version += 1
        article.changed_at = now
        db.session.flush()
        _index(article)
        _note(actor, article, "article.changed", now, version=article.last_version)
    return article


def _names() -> dict[str, str]:
    return {tag: language.name for tag, language in LANGUAGES.items()}


def _version(actor: Actor, number: int, texts: Mapping[str, Text], now: datetime) -> ArticleVersion:
    return ArticleVersion(
        number=number,
        person_id=actor.person_id,
        changed_at=now,
        texts=[
            ArticleText(locale=locale, title=text.title, body=text.body)
            for locale, text in texts.items()
        ],
    )


def _rewrite(
    actor: Actor, version: ArticleVersion, texts: Mapping[str, Text], now: datetime
) -> None:
    held = {item.locale: item for item in version.texts}
    for locale, item in held.items():
        if locale not in texts:
            version.texts.remove(item)
    for locale, text in texts.items():
        if locale in held:
            held[locale].title, held[locale].body = text.title, text.body
        else:
            version.texts.append(ArticleText(locale=locale, title=text.title, body=text.body))
    version.person_id, version.changed_at = actor.person_id, now


def _describe(actor: Actor, article: Article, draft: Draft) -> None:
    """Set for whom an article is and what it is about."""
    article.audience = draft.audience
    article.category = _category(draft.category_path)
    article.products = _products(draft.skus)
    known = {item.code: item.id for item in queries.find_customer_accounts(actor)}
    wanted = {known[code] for code in draft.accounts if code in known}
    if draft.audience is not Audience.ACCOUNTS:
        wanted = set()
    elif not wanted:
        raise NoAccountsError
    for item in [item for item in article.accounts if item.account_id not in wanted]:
        article.accounts.remove(item)
    there = {item.account_id for item in article.accounts}
    article.accounts.extend(ArticleAccount(account_id=key) for key in sorted(wanted - there))


def _category(path: str) -> Category | None:
    if not path:
        return None
    found = db.session.scalar(select(Category).where(Category.path == path))
    if found is None:
        raise UnknownCategoryError
    return found


def _products(skus: Sequence[str]) -> list[Product]:
    wanted = list(dict.fromkeys(skus))
    if len(wanted) > MOST_PRODUCTS:
        raise TooManyProductsError(most=MOST_PRODUCTS)
    known = queries.find_products(wanted)
    for sku in wanted:
        if sku not in known:
            raise UnknownProductError(sku=sku)
    return [known[sku] for sku in wanted]


def publish_article(actor: Actor, number: str, *, now: datetime) -> Article:
    """Let readers see the last version of an article.

    Raises:
        ArticleNotFoundError: No such article.
        NotAllowedError, IllegalMoveError: See `Move`.
        NothingNewError: The last version is published already.
    """
    with transaction():
        article = queries.get_article(actor, number, for_update=True)
        status = Move.PUBLISH.apply(article.status, actor, number)
        last = queries.version_of(article, article.last_version)
        if article.published_version == last.number and article.status is status:
            raise NothingNewError(number=number)
        article.status, article.published_version = status, last.number
        article.published_at = now
        last.published_at = last.published_at or now
        _changed(article, now)
        _index(article)
        _note(actor, article, "article.published", now, version=last.number)
    return article


def retire_article(actor: Actor, number: str, *, now: datetime) -> Article:
    """Take an article back: readers do not see it any more.

    Raises:
        ArticleNotFoundError: No such article.
        NotAllowedError, IllegalMoveError: See `Move`.
    """
    return _move(actor, number, Move.RETIRE, "article.retired", now)


def restore_article(actor: Actor, number: str, *, now: datetime) -> Article:
    """Bring a retired article back as a draft.

    Raises:
        ArticleNotFoundError: No such article.
        NotAllowedError, IllegalMoveError: See `Move`.
    """
    return _move(actor, number, Move.RESTORE, "article.restored", now)


def _move(actor: Actor, number: str, move: Move, verb: str, now: datetime) -> Article:
    with transaction():
        article = queries.get_article(actor, number, for_update=True)
        article.status = move.apply(article.status, actor, number)
        _changed(article, now)
        _note(actor, article, verb, now)
    return article


def _changed(article: Article, now: datetime) -> None:
    article.version += 1
    article.changed_at = now


def note_helped(
    actor: Actor,
    number: str,
    helped: bool,  # noqa: FBT001 - the answer itself
    case_id: int | None = None,
    *,
    now: datetime,
) -> None:
    """Note whether an article helped the actor; the last word of each person counts, once.

    Args:
        case_id: The case that it helped with, where there is one.

    Raises:
        ArticleNotFoundError: No such article, or not for this reader.
        NotAllowedError: The actor is nobody who could be helped.
    """
    if actor.person_id is None or actor.membership_id is None:
        raise NotAllowedError(permission=Permission.ARTICLE_READ.value)
    with transaction():
        article = queries.get_article(actor, number)
        db.session.execute(lock(select(Article.id).where(Article.id == article.id)))
        said = db.session.scalar(
            select(ArticleAnswer).where(
                ArticleAnswer.article_id == article.id,
                ArticleAnswer.person_id == actor.person_id,
            )
        )
        before = None if said is None else said.helped
        if said is None:
            said = ArticleAnswer(
                account_id=actor.account_id,
                membership_id=actor.membership_id,
                person_id=actor.person_id,
                article_id=article.id,
            )
            db.session.add(said)
        said.helped, said.said_at = helped, now
        said.case_id = case_id if case_id is not None else said.case_id
        if before != helped:
            _count(article.id, before, helped)
            _note(actor, article, "article.helped", now, helped=helped)


def _count(article_id: int, before: bool | None, helped: bool) -> None:  # noqa: FBT001 - an answer
    """Count one answer, and take an earlier one of the same person back."""
    yes = int(helped) - int(before is True)
    no = int(not helped) - int(before is False)
    db.session.execute(
        update(Article)
        .where(Article.id == article_id)
        .values(helped=Article.helped + yes, not_helped=Article.not_helped + no)
    )


def _index(article: Article) -> None:
    """Write the words that readers find: of what is published, else of the draft."""
    shown = queries.version_of(article, article.published_version or article.last_version)
    about = [product.name for product in article.products]
    about += [str(name) for item in article.products for name in (item.names or {}).values()]
    if article.category:
        about += [article.category.name, *map(str, (article.category.names or {}).values())]
    index_article(
        article.id,
        article.number,
        [Text(item.title, item.body) for item in shown.texts],
        [product.sku for product in article.products],
        about,
    )


def _note(actor: Actor, article: Article, verb: str, now: datetime, **data: object) -> None:
    """Write what happened into the record of whoever did it: the supplier's, or a reader's."""
    record(
        actor,
        verb,
        kind=KIND,
        object_id=article.id,
        number=article.number,
        account_id=actor.account_id,
        now=now,
        **data,
    )
