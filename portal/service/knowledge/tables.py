"""Which columns the list of articles and its export show."""

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.service.knowledge.queries import Heading
from portal.web.tables import Column

COLUMNS: tuple[Column[Heading], ...] = (
    Column(
        key="number",
        label=_l("Article"),
        value=lambda item: item.article.number,
        url=lambda item: url_for("articles.detail", number=item.article.number),
    ),
    Column(key="title", label=_l("Title"), value=lambda item: item.title),
    Column(
        key="category",
        label=_l("Category"),
        value=lambda item: item.article.category.path if item.article.category else "",
    ),
    Column(
        key="published_at",
        label=_l("Published"),
        value=lambda item: item.article.published_at,
        kind="instant",
    ),
)
EDITOR_COLUMNS: tuple[Column[Heading], ...] = (
    *COLUMNS,
    Column(key="status", label=_l("Status"), value=lambda item: _(item.article.status.label)),
    Column(key="audience", label=_l("For whom"), value=lambda item: _(item.article.audience.label)),
    Column(
        key="changed_at",
        label=_l("Changed"),
        value=lambda item: item.article.changed_at,
        kind="instant",
    ),
    Column(key="helped", label=_l("Helped"), value=lambda item: item.article.helped, kind="number"),
    Column(
        key="not_helped",
        label=_l("Did not help"),
        value=lambda item: item.article.not_helped,
        kind="number",
    ),
)
