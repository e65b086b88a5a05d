"""The knowledge base of the demo: articles as the service team wrote and published them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from portal.demo.cast import Acme, Cast
from portal.demo.loading import DATA
from portal.policy import Actor
from portal.service.knowledge.actions import (
    Draft,
    note_helped,
    publish_article,
    write_article,
)
from portal.service.knowledge.rules import Audience, Text

LANGUAGES: Final = ("en", "zh-Hans", "zh-Hant", "ko")


@dataclass(frozen=True, slots=True)
class Article:
    """One article of the folder: its file, category, products and readers."""

    file: str
    category: str = ""
    skus: tuple[str, ...] = ()
    audience: Audience = Audience.EVERYBODY
    accounts: tuple[str, ...] = ()
    is_published: bool = True


ARTICLES: Final = (
    Article("service-tag"),
    Article("send-in"),
    Article("battery", "Hardware/Laptops", ("LT-0001", "LT-0002")),
    Article("monitor", "Peripherals/Monitors", ("MN-0001", "MN-0004")),
    Article("network", "Networking", ("NW-0002",)),
    Article("ups", "Power protection"),
    Article("advance-exchange", audience=Audience.INTERNAL),
    Article("acme-image", "Software", audience=Audience.ACCOUNTS, accounts=(Acme.code,)),
)


def write_articles(now: datetime) -> None:
    """Let the service agent write the articles and publish them."""
    agent = Cast.supplier.service_agent
    for item in ARTICLES:
        _write(agent, item, now)


def _write(agent: Actor, item: Article, now: datetime) -> None:
    draft = Draft(
        texts={tag: text for tag in LANGUAGES if (text := _read(item.file, tag)) is not None},
        audience=item.audience,
        accounts=item.accounts,
        category_path=item.category,
        skus=item.skus,
    )
    number = write_article(agent, draft, now=now).number
    if item.is_published:
        publish_article(agent, number, now=now)


def _read(file: str, tag: str) -> Text | None:
    """Return one article in one language: its first line is the title."""
    source = DATA / "articles" / f"{file}.{tag}.md"
    if not source.is_file():
        return None
    title, _line, body = source.read_text(encoding="utf-8").partition("\n")
    return Text(title.removeprefix("# ").strip(), body.strip())


def tell_articles(now: datetime) -> None:
    """Let some readers say whether an article helped them."""
    note_helped(Cast.acme.buyer, "K-000003", True, now=now)
    note_helped(Cast.acme.shopper, "K-000003", True, now=now)
    note_helped(Cast.acme.viewer, "K-000004", False, now=now)
    note_helped(Cast.hanbit.shopper, "K-000001", True, now=now)
