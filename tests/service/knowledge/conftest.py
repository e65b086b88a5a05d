"""Articles for tests: written by the service agent, published on demand."""

from collections.abc import Callable
from datetime import datetime

import pytest

from portal.demo.cast import Cast
from portal.service.knowledge.actions import Draft, publish_article, write_article
from portal.service.knowledge.rules import Audience, Text

Write = Callable[..., str]


@pytest.fixture
def write(cast: Cast, now: datetime) -> Write:
    """Return a function that writes an article and returns its number."""

    def make(
        title: str = "A question",
        body: str = "An answer.",
        *,
        is_published: bool = True,
        texts: dict[str, Text] | None = None,
        **more: object,
    ) -> str:
        agent = cast.supplier.service_agent
        draft = Draft(texts=texts or {"en": Text(title, body)}, **more)  # type: ignore[arg-type]
        number = write_article(agent, draft, now=now).number
        if is_published:
            publish_article(agent, number, now=now)
        return number

    return make


def for_accounts(*codes: str) -> dict[str, object]:
    """Return the audience of an article for some accounts alone."""
    return {"audience": Audience.ACCOUNTS, "accounts": codes}
