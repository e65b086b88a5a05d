"""Pages of the knowledge base: search, one article, and the editor's side."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import ConflictError, InvalidError
from portal.files.writing import write_csv, write_xlsx
from portal.policy import P
from portal.service.knowledge import actions, pages, queries
from portal.service.knowledge.forms import KEYS, ArticleForm, HelpedForm
from portal.service.knowledge.models import Article
from portal.service.knowledge.tables import COLUMNS, EDITOR_COLUMNS
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.locale import LANGUAGES, current_language
from portal.web.paging import Page, offset_of, page_number, page_size
from portal.web.tables import cells_of, file_response, header_of

bp = Blueprint("articles", __name__, url_prefix="/service/articles")


@bp.get("")
@requires(P.ARTICLE_READ)
def index() -> ResponseReturnValue:
    actor = current_actor()
    wanted, locale = pages.filter_of(actor, request.args), current_language().tag
    if request.args.get("format") in {"csv", "xlsx"}:
        rows = queries.find_articles(actor, wanted, locale=locale)
        columns = EDITOR_COLUMNS if queries.can_edit(actor) else COLUMNS
        header, cells = header_of(columns), cells_of(columns, rows)
        if request.args["format"] == "xlsx":
            return file_response(write_xlsx(header, cells, sheet=_("Help")), "articles.xlsx")
        return file_response(write_csv(header, cells, for_people=True), "articles.csv")
    number, size = page_number(), page_size()
    counts = queries.count_by_tab(actor, wanted)
    rows = queries.find_articles(
        actor, wanted, locale=locale, limit=size, offset=offset_of(number, size)
    )
    return render_template(
        "service/articles.html",
        page=Page(rows, counts[wanted.tab], number, size),
        wanted=wanted,
        views=pages.views_of(wanted, counts),
        categories=queries.find_categories_in_use(actor),
        is_editor=queries.can_edit(actor),
    )


@bp.get("/new")
@requires(P.ARTICLE_SAVE)
def new() -> ResponseReturnValue:
    return _edit(None, pages.edit_form(current_actor(), None))


@bp.post("/new")
@requires(P.ARTICLE_SAVE)
def create() -> ResponseReturnValue:
    actor = current_actor()
    form = pages.edit_form(actor, None, ArticleForm())
    if form.validate_on_submit():
        try:
            article = actions.write_article(actor, pages.draft_of(form), now=now())
        except InvalidError as refusal:
            form.add_error(refusal)
        else:
            flash(_("Article %(number)s is saved as a draft.", number=article.number), "success")
            return redirect(url_for(".detail", number=article.number), code=303)
    return _edit(None, form, 422)


@bp.get("/<number>")
@requires(P.ARTICLE_READ)
def detail(number: str) -> ResponseReturnValue:
    actor = current_actor()
    article = queries.get_article(actor, number)
    asked = request.args.get("version", "")
    version = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None  # noqa: PLR2004
    page = pages.show_article(
        actor, article, version=version, language=request.args.get("lang", "")
    )
    return render_template("service/articles_detail.html", page=page)


@bp.post("/<number>/helped")
@requires(P.ARTICLE_READ)
def helped(number: str) -> ResponseReturnValue:
    actor, form = current_actor(), HelpedForm()
    if not form.validate_on_submit():
        page = pages.show_article(actor, queries.get_article(actor, number))
        return render_template("service/articles_detail.html", page=page, form=form), 422
    actions.note_helped(actor, number, form.helped.data == "1", now=now())
    flash(_("Your answer is noted. It helps to make this article better."), "success")
    return redirect(url_for(".detail", number=number), code=303)


@bp.get("/<number>/edit")
@requires(P.ARTICLE_SAVE)
def edit(number: str) -> ResponseReturnValue:
    actor = current_actor()
    article = queries.get_article(actor, number)
    return _edit(article, pages.edit_form(actor, article))


@bp.post("/<number>/edit")
@requires(P.ARTICLE_SAVE)
def save(number: str) -> ResponseReturnValue:
    actor = current_actor()
    article = queries.get_article(actor, number)
    form = pages.edit_form(actor, article, ArticleForm())
    if form.validate_on_submit():
        typed = str(form.version.data or "")
        version = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0  # noqa: PLR2004
        try:
            saved = actions.save_article(
                actor, number, pages.draft_of(form), version=version, now=now()
            )
        except (InvalidError, ConflictError) as refusal:
            form.add_error(refusal)
        else:
            flash(_("Article %(number)s is saved.", number=number), "success")
            return redirect(url_for(".detail", number=number, version=saved.last_version), code=303)
    return _edit(article, form, 422)


def _edit(article: Article | None, form: ArticleForm, status: int = 200) -> ResponseReturnValue:
    return render_template(
        "service/articles_edit.html",
        article=article,
        form=form,
        languages=[(language, KEYS[tag]) for tag, language in LANGUAGES.items()],
    ), status


@bp.post("/<number>/publish")
@requires(P.ARTICLE_SAVE)
def publish(number: str) -> ResponseReturnValue:
    actions.publish_article(current_actor(), number, now=now())
    flash(_("Article %(number)s is published.", number=number), "success")
    return redirect(url_for(".detail", number=number), code=303)


@bp.post("/<number>/retire")
@requires(P.ARTICLE_SAVE)
def retire(number: str) -> ResponseReturnValue:
    actions.retire_article(current_actor(), number, now=now())
    flash(_("Article %(number)s is taken back: readers do not see it.", number=number), "success")
    return redirect(url_for(".detail", number=number), code=303)


@bp.post("/<number>/restore")
@requires(P.ARTICLE_SAVE)
def restore(number: str) -> ResponseReturnValue:
    actions.restore_article(current_actor(), number, now=now())
    flash(_("Article %(number)s is a draft again.", number=number), "success")
    return redirect(url_for(".detail", number=number), code=303)
