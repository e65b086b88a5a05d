"""Articles: for whom they are, what readers see of a change, and what they say of it."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import func, select

from portal.db import db
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.lifecycle import IllegalMoveError
from portal.policy import Actor
from portal.service.knowledge.actions import (
    ArticleChangedError,
    Draft,
    UnknownProductError,
    note_helped,
    publish_article,
    restore_article,
    retire_article,
    save_article,
    write_article,
)
from portal.service.knowledge.models import ArticleAnswer
from portal.service.knowledge.queries import (
    ArticleFilter,
    ArticleNotFoundError,
    count_by_tab,
    find_articles,
    get_article,
    shown_version,
    suggest,
    text_in,
)
from portal.service.knowledge.rules import (
    ArticleStatus,
    Audience,
    NoAccountsError,
    NothingNewError,
    Tab,
    Text,
)
from tests.service.knowledge.conftest import Write, for_accounts

Rows = Callable[[], dict[str, tuple[int, str]]]


def titles(actor: Actor, locale: str = "en", **wanted: object) -> list[str]:
    found = find_articles(actor, ArticleFilter(**wanted), locale=locale)  # type: ignore[arg-type]
    return sorted(item.title for item in found)


def seen_by(actor: Actor) -> set[str]:
    return set(titles(actor)) & {"Everybody", "ACME alone", "HANBIT alone", "Ours", "Draft"}


def test_each_reader_sees_the_articles_that_are_for_them(cast: Cast, write: Write) -> None:
    write("Everybody")
    write("ACME alone", **for_accounts("ACME"))
    write("HANBIT alone", **for_accounts("HANBIT"))
    write("Ours", audience=Audience.INTERNAL)
    draft = write("Draft", is_published=False)

    assert seen_by(cast.acme.shopper) == seen_by(cast.acme.admin) == {"Everybody", "ACME alone"}
    assert seen_by(cast.hanbit.viewer) == {"Everybody", "HANBIT alone"}
    assert seen_by(cast.supplier.account_manager) == {"Everybody", "ACME alone", "Ours"}
    assert seen_by(cast.supplier.auditor) == {"Everybody", "ACME alone", "HANBIT alone", "Ours"}
    assert seen_by(cast.supplier.pricing_manager) == set()
    for actor in (cast.acme.admin, cast.supplier.auditor):
        with pytest.raises(ArticleNotFoundError):
            get_article(actor, draft)
    assert "Draft" in titles(cast.supplier.service_agent, tab=Tab.DRAFTS)


def test_suggestions_and_search_keep_to_what_the_reader_may_see(cast: Cast, write: Write) -> None:
    write("Zeppelin everybody", "moors")
    write("Zeppelin secret", "moors", audience=Audience.INTERNAL)
    write("Zeppelin of Hanbit", "moors", **for_accounts("HANBIT"))
    write("Zeppelin draft", "moors", is_published=False)

    def found(actor: Actor) -> list[str]:
        return sorted(item.title for item in suggest(actor, "Where is the Zeppelin?"))

    assert found(cast.acme.buyer) == titles(cast.acme.buyer, text="zeppelin")
    assert found(cast.acme.buyer) == ["Zeppelin everybody"]
    assert found(cast.hanbit.buyer) == ["Zeppelin everybody", "Zeppelin of Hanbit"]
    assert "Zeppelin draft" not in found(cast.supplier.service_agent)
    assert len(found(cast.supplier.service_agent)) == 3


def test_readers_keep_the_published_version_until_the_next_is_published(
    cast: Cast, now: datetime, write: Write
) -> None:
    agent, reader = cast.supplier.service_agent, cast.acme.buyer
    number = write("Old title", "Old text about walruses.")
    changed = Draft(texts={"en": Text("New title", "New text about narwhals.")})
    version = get_article(agent, number).version
    save_article(agent, number, changed, version=version, now=now)

    shown = shown_version(get_article(reader, number))
    assert (shown.number, text_in(shown, "en").title) == (1, "Old title")
    assert titles(reader, text="narwhals") == []
    assert titles(reader, text="walruses") == ["Old title"]
    assert titles(agent, tab=Tab.DRAFTS, text="walruses") == ["New title"]

    publish_article(agent, number, now=now)

    shown = shown_version(get_article(reader, number))
    assert (shown.number, text_in(shown, "en").title) == (2, "New title")
    assert titles(reader, text="narwhals") == ["New title"]
    assert titles(reader, text="walruses") == []
    first = get_article(agent, number).versions[0]
    assert (first.number, first.texts[0].title) == (1, "Old title")
    with pytest.raises(NothingNewError):
        publish_article(agent, number, now=now)


def test_two_editors_do_not_overwrite_each_other(
    cast: Cast, now: datetime, write: Write, business_rows: Rows
) -> None:
    agent = cast.supplier.service_agent
    number = write()
    version = get_article(agent, number).version
    mine, theirs = (Draft(texts={"en": Text(name, "Text")}) for name in ("Mine", "Theirs"))
    save_article(agent, number, theirs, version=version, now=now)
    before = business_rows()

    with pytest.raises(ArticleChangedError, match="nothing is overwritten"):
        save_article(agent, number, mine, version=version, now=now)

    assert business_rows() == before


def test_a_retired_article_is_gone_for_readers_and_comes_back_as_a_draft(
    cast: Cast, now: datetime, write: Write
) -> None:
    agent = cast.supplier.service_agent
    number = write("Retiring")
    retire_article(agent, number, now=now)

    with pytest.raises(ArticleNotFoundError):
        get_article(cast.acme.buyer, number)
    assert "Retiring" not in [item.title for item in suggest(cast.acme.buyer, "retiring")]
    with pytest.raises(IllegalMoveError, match=f"{number} is retired"):
        publish_article(agent, number, now=now)
    assert restore_article(agent, number, now=now).status is ArticleStatus.DRAFT
    with pytest.raises(ArticleNotFoundError):
        get_article(cast.acme.buyer, number)
    publish_article(agent, number, now=now)
    assert get_article(cast.acme.buyer, number).number == number


@pytest.mark.parametrize("text", ["显示器", "闪烁", "모니터", "깜박", "flicker", "K-"])
def test_articles_are_found_in_every_language_by_two_characters(
    cast: Cast, write: Write, text: str
) -> None:
    number = write(
        texts={
            "en": Text("The screen flickers", "Change the cable."),
            "zh-Hans": Text("显示器闪烁", "请更换线缆。"),
            "ko": Text("모니터가 깜박입니다", "케이블을 바꾸십시오."),
        }
    )
    wanted = number if text == "K-" else text

    assert "모니터가 깜박입니다" in titles(cast.hanbit.buyer, "ko", text=wanted)
    assert "显示器闪烁" in titles(cast.acme.lab_shopper, "zh-Hant", text=wanted)


def test_suggestions_speak_the_readers_language_and_prefer_the_product(
    cast: Cast, write: Write
) -> None:
    write("Zebra printing", "General words.")
    write(
        texts={"en": Text("Zebra laptop", "Words."), "zh-Hans": Text("斑马笔记本", "话。")},
        skus=("LT-0001",),
    )
    product = get_article(cast.supplier.service_agent, titles_number(cast, "Zebra laptop"))

    found = suggest(cast.acme.lab_shopper, "zebra", product_id=product.products[0].id)

    assert [item.title for item in found][:2] == ["斑马笔记本", "Zebra printing"]
    assert found[0].excerpt == "话。"


def titles_number(cast: Cast, title: str) -> str:
    agent = cast.supplier.service_agent
    found = find_articles(agent, ArticleFilter(), locale="en")
    return next(item.article.number for item in found if item.title == title)


def test_each_person_has_one_word_on_whether_an_article_helped(
    cast: Cast, now: datetime, write: Write
) -> None:
    number = write()
    buyer = cast.acme.buyer

    for helped in (True, True, False):
        note_helped(buyer, number, helped, now=now)
    note_helped(cast.acme.buyer_at_research, number, True, now=now)  # the same person elsewhere
    note_helped(cast.hanbit.viewer, number, False, 7, now=now)

    article = get_article(cast.supplier.service_agent, number)
    assert (article.helped, article.not_helped) == (1, 1)
    assert db.session.scalar(select(func.count()).select_from(ArticleAnswer)) == 2
    assert db.session.scalars(select(ArticleAnswer.case_id).order_by(ArticleAnswer.id)).all() == [
        None,
        7,
    ]


def test_only_editors_write_and_a_refusal_changes_nothing(
    cast: Cast, now: datetime, write: Write, business_rows: Rows
) -> None:
    number = write()
    agent = cast.supplier.service_agent
    draft = Draft(texts={"en": Text("T", "B")})
    before = business_rows()

    for actor in (cast.acme.admin, cast.supplier.auditor, cast.supplier.account_manager):
        with pytest.raises(NotAllowedError):
            write_article(actor, draft, now=now)
        with pytest.raises(NotAllowedError):
            retire_article(actor, number, now=now)
    with pytest.raises(NoAccountsError):
        write_article(agent, Draft(texts=draft.texts, **for_accounts("NOBODY")), now=now)  # type: ignore[arg-type]
    with pytest.raises(UnknownProductError, match="XX-1"):
        write_article(agent, Draft(texts=draft.texts, skus=("XX-1",)), now=now)

    assert business_rows() == before


def test_counts_of_views_are_exact(cast: Cast, now: datetime, write: Write) -> None:
    agent = cast.supplier.service_agent
    before = count_by_tab(agent, ArticleFilter())
    number = write("One")
    write("Two", is_published=False)
    save_article(
        agent,
        number,
        Draft(texts={"en": Text("One more", "B")}),
        version=get_article(agent, number).version,
        now=now,
    )

    after = count_by_tab(agent, ArticleFilter())
    assert {tab: after[tab] - before[tab] for tab in Tab} == {
        Tab.PUBLISHED: 1,
        Tab.DRAFTS: 2,
        Tab.RETIRED: 0,
    }
    assert list(count_by_tab(cast.acme.buyer, ArticleFilter())) == [Tab.PUBLISHED]
