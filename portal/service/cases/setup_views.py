"""The service's own set-up as pages: teams, routing rules, canned answers."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.calendars.queries import find_calendars
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.policy import P
from portal.service.cases import setup, teams
from portal.service.cases.forms import PhraseForm, RuleForm, TeamForm
from portal.service.cases.models import CannedAnswer, ServiceRule, ServiceTeam
from portal.service.cases.people import find_member_names
from portal.service.cases.rules import CaseKind, Priority
from portal.service.cases.setup import NEW, PhraseFacts, RuleFacts, TeamFacts
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.locale import LANGUAGES

bp = Blueprint("service_setup", __name__, url_prefix="/desk/service")


@bp.get("")
@requires(P.SERVICE_SETUP)
def index() -> ResponseReturnValue:
    """Show teams, rules and canned answers."""
    found = teams.find_teams(with_ended=True)
    members = {member.membership_id for team in found for member in team.members}
    return render_template(
        "service/cases_setup.html",
        teams=found,
        rules=teams.find_rules(),
        phrases=teams.find_phrases(),
        names=find_member_names(members | {team.manager_id for team in found}),
        languages=LANGUAGES,
    )


@bp.route("/teams/new", methods=["GET", "POST"])
@requires(P.SERVICE_SETUP)
def new_team() -> ResponseReturnValue:
    """Make a team."""
    return _edit_team(None)


@bp.route("/teams/<code>", methods=["GET", "POST"])
@requires(P.SERVICE_SETUP)
def team(code: str) -> ResponseReturnValue:
    """Change a team."""
    return _edit_team(teams.get_team(code))


def _edit_team(found: ServiceTeam | None) -> ResponseReturnValue:
    form = TeamForm(data=_team_data(found))
    form.members.choices = [(str(key), name) for key, name in teams.find_agents()]
    form.manager.choices = [
        ("", _("nobody")),
        *((str(key), name) for key, name in teams.find_staff()),
    ]
    form.calendar.choices = [
        ("", _("the usual ones")),
        *((row.code, row.name) for row in find_calendars()),
    ]

    def save() -> None:
        setup.save_team(
            current_actor(),
            found.code if found else None,
            _whole(form.version.data),
            TeamFacts(
                code=form.code.data or "",
                name=form.name.data or "",
                alarm_email=form.alarm_email.data or "",
                alarm_phone=form.alarm_phone.data or "",
                manager_id=_whole(form.manager.data) or None,
                calendar_code=form.calendar.data or "",
                is_active=bool(form.is_active.data),
                member_ids=[_whole(key) for key in form.members.data or []],
            ),
            now=now(),
        )

    title = _("Team %(name)s", name=found.name) if found else _("New team")
    return _edit("service/cases_team.html", form, save, title)


def _team_data(found: ServiceTeam | None) -> dict[str, Any]:
    if found is None:
        return {"version": NEW, "is_active": True}
    return {
        "version": found.version,
        "code": found.code,
        "name": found.name,
        "members": [str(member.membership_id) for member in found.members],
        "manager": str(found.manager_id or ""),
        "alarm_email": found.alarm_email,
        "alarm_phone": found.alarm_phone,
        "calendar": found.calendar_code,
        "is_active": found.is_active,
    }


@bp.route("/rules/new", methods=["GET", "POST"])
@requires(P.SERVICE_SETUP)
def new_rule() -> ResponseReturnValue:
    """Make a routing rule."""
    return _edit_rule(None)


@bp.route("/rules/<int:number>", methods=["GET", "POST"])
@requires(P.SERVICE_SETUP)
def rule(number: int) -> ResponseReturnValue:
    """Change a routing rule."""
    return _edit_rule(teams.get_rule(number))


def _edit_rule(found: ServiceRule | None) -> ResponseReturnValue:
    form = RuleForm(data=_rule_data(found))
    form.team.choices = [(item.code, item.name) for item in teams.find_teams()]

    def save() -> None:
        setup.save_rule(
            current_actor(),
            found.number if found else None,
            _whole(form.version.data),
            RuleFacts(
                number=int(form.number.data or 0),
                team_code=form.team.data or "",
                kind=CaseKind(form.kind.data) if form.kind.data else None,
                category_path=form.category.data or "",
                account_code=form.account.data or "",
                country=form.country.data or "",
                priority=Priority(form.priority.data) if form.priority.data else None,
            ),
            now=now(),
        )

    title = _("Rule %(number)s", number=found.number) if found else _("New rule")
    remove = url_for(".remove_rule", number=found.number) if found else ""
    return _edit("service/cases_rule.html", form, save, title, remove)


def _rule_data(found: ServiceRule | None) -> dict[str, Any]:
    if found is None:
        last = max((row.number for row in teams.find_rules()), default=0)
        return {"version": NEW, "number": Decimal(last + 10)}
    return {
        "version": found.version,
        "number": Decimal(found.number),
        "kind": found.kind.value if found.kind else "",
        "category": found.category_path,
        "account": found.account.code if found.account else "",
        "country": found.country,
        "team": found.team.code,
        "priority": found.priority.value if found.priority else "",
    }


@bp.post("/rules/<int:number>/remove")
@requires(P.SERVICE_SETUP)
def remove_rule(number: int) -> ResponseReturnValue:
    """Remove a routing rule."""
    setup.remove_rule(current_actor(), number, now=now())
    return _done()


@bp.route("/answers/new", methods=["GET", "POST"])
@requires(P.SERVICE_SETUP)
def new_phrase() -> ResponseReturnValue:
    """Make a canned answer."""
    return _edit_phrase(None)


@bp.route("/answers/<int:phrase_id>", methods=["GET", "POST"])
@requires(P.SERVICE_SETUP)
def phrase(phrase_id: int) -> ResponseReturnValue:
    """Change a canned answer."""
    return _edit_phrase(teams.get_phrase(phrase_id))


def _edit_phrase(found: CannedAnswer | None) -> ResponseReturnValue:
    form = PhraseForm(
        data={"version": NEW}
        if found is None
        else {
            "version": found.version,
            "name": found.name,
            "body": found.body,
            "locale": found.locale,
        }
    )
    form.locale.choices = [
        ("", _("every language")),
        *((tag, language.name) for tag, language in LANGUAGES.items()),
    ]

    def save() -> None:
        setup.save_phrase(
            current_actor(),
            found.id if found else None,
            _whole(form.version.data),
            PhraseFacts(
                name=form.name.data or "",
                body=form.body.data or "",
                locale=form.locale.data or "",
            ),
            now=now(),
        )

    title = _("Canned answer “%(name)s”", name=found.name) if found else _("New canned answer")
    remove = url_for(".remove_phrase", phrase_id=found.id) if found else ""
    return _edit("service/cases_phrase.html", form, save, title, remove)


@bp.post("/answers/<int:phrase_id>/remove")
@requires(P.SERVICE_SETUP)
def remove_phrase(phrase_id: int) -> ResponseReturnValue:
    """Remove a canned answer."""
    setup.remove_phrase(current_actor(), phrase_id, now=now())
    return _done()


def _edit(
    template: str,
    form: Any,  # noqa: ANN401 - one of three forms
    save: Callable[[], None],
    title: str,
    remove: str = "",
) -> ResponseReturnValue:
    """Show the form, or save what was typed."""
    status = 200
    if form.is_submitted():
        if form.validate():
            try:
                save()
            except (InvalidError, ConflictError) as refusal:
                form.add_error(refusal)
            except NotFoundError as refusal:
                form.add_error(refusal)
            else:
                return _done()
        status = 422
    return render_template(template, form=form, title=title, remove=remove), status


def _done() -> ResponseReturnValue:
    flash(_("Saved."), "success")
    return redirect(url_for(".index"), code=303)


def _whole(text: object) -> int:
    """Return a whole number from a hidden field or choice; nonsense is one that never exists."""
    digits = str(text if text is not None else "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else 0  # noqa: PLR2004
