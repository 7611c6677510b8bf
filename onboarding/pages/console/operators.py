"""Sign operators in by a one-time link and out; list them, invite and remove them, and allow whole Slack teams."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import RadioField, SelectField, StringField

from onboarding.errors import Refused
from onboarding.http import operator_guard
from onboarding.http.form_checks import reload_on_csrf_failure
from onboarding.http.operator_guard import require_person
from onboarding.http.page_form import PageForm
from onboarding.http.route_access import allow_viewers, public
from onboarding.http.sign_in_page import render_sign_in
from onboarding.runtime import current
from onboarding.services.operators import OperatorSummary
from onboarding.services.sign_ins import SignInProblem

blueprint = Blueprint("operators", __name__)
_ROLES = {"operator": "Operator: makes changes", "viewer": "Viewer: changes nothing"}
_WAYS = {"email": "One-time link", "slack": "Sign in with Slack"}


class InviteForm(PageForm):
    way = RadioField("Signs in with", choices=_WAYS, default="email")
    person = StringField("Person")
    role = SelectField("Role", choices=_ROLES, default="operator")


class RoleForm(PageForm):
    role = SelectField("Role", choices=_ROLES)


class TeamForm(PageForm):
    team_id = StringField("Team id")


@blueprint.get("/sign-in")
@public
def needed() -> ResponseReturnValue:
    return render_sign_in("console/operators/needed.html")


@blueprint.get("/sign-in/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Show a button: mail scanners open links, and must not use them up."""
    found = current().sign_ins.check_link(token)
    if isinstance(found, SignInProblem):
        return render_sign_in("console/operators/unusable.html", reason=found.reason), 410
    return render_template(
        "console/operators/confirm.html", label=found.label, action=url_for("operators.confirm_submit", token=token)
    )


@blueprint.post("/sign-in/<token>")
@public
@reload_on_csrf_failure("operators.confirm")
def confirm_submit(token: str) -> ResponseReturnValue:
    session_token = current().sign_ins.sign_in(token)
    if isinstance(session_token, SignInProblem):
        return render_sign_in("console/operators/unusable.html", reason=session_token.reason), 410
    operator_guard.start_session(session_token)
    return redirect(url_for("connections.index"), 303)


@blueprint.post("/sign-out")
@public
def out() -> ResponseReturnValue:
    operator_guard.end_session()
    return redirect(url_for("operators.signed_out"), 303)


@blueprint.get("/signed-out")
@public
def signed_out() -> ResponseReturnValue:
    return render_sign_in("console/operators/out.html")


@blueprint.get("/operators")
@allow_viewers
def index() -> ResponseReturnValue:
    return _list(TeamForm())


@blueprint.get("/operators/new")
def new() -> ResponseReturnValue:
    return render_template("console/operators/new.html", form=InviteForm())


@blueprint.post("/operators/new")
def new_submit() -> ResponseReturnValue:
    form, actor = InviteForm(), require_person().actor
    operators, person = current().operators, form.person.data or ""
    if not form.validate_on_submit():
        return render_template("console/operators/new.html", form=form), 422
    try:
        if form.way.data == "slack":
            label = operators.add_slack_user(person, actor, form.role.data)
            url = f"{current().settings.origin}{url_for('operators.needed')}"
            return render_template("console/operators/added.html", label=label, sign_in_url=url)
        link = operators.invite(person, actor, form.role.data)
    except Refused as refusal:
        form.person.errors = [*form.person.errors, refusal.sentence]
        return render_template("console/operators/new.html", form=form), 422
    return render_template("console/operators/invited.html", label=person, link=link)


@blueprint.get("/operators/<operator_id>")
@allow_viewers
def show(operator_id: str) -> ResponseReturnValue:
    found = current().operators.find(operator_id)
    return render_template("console/operators/show.html", operator=found, form=RoleForm(role=found.role))


@blueprint.post("/operators/<operator_id>/role")
def role_submit(operator_id: str) -> ResponseReturnValue:
    found, form = _other(operator_id), RoleForm()
    if not form.validate_on_submit():
        return render_template("console/operators/show.html", operator=found, form=form), 422
    current().operators.set_role(found.label, form.role.data, require_person().actor)
    return redirect(url_for("operators.show", operator_id=operator_id), 303)


@blueprint.post("/operators/<operator_id>/link")
def link_submit(operator_id: str) -> ResponseReturnValue:
    """Create a new sign-in link and show it in this answer: its token is stored nowhere."""
    found = current().operators.find(operator_id)
    link = current().operators.invite(found.label, require_person().actor)
    return render_template("console/operators/invited.html", label=found.label, link=link)


@blueprint.post("/operators/<operator_id>/sign-out")
def sign_out_submit(operator_id: str) -> ResponseReturnValue:
    found = current().operators.find(operator_id)
    current().operators.end_sessions(found.label, require_person().actor)
    return redirect(url_for("operators.show", operator_id=operator_id), 303)


@blueprint.get("/operators/<operator_id>/remove")
def remove(operator_id: str) -> ResponseReturnValue:
    return render_template("console/operators/remove.html", operator=_other(operator_id))


@blueprint.post("/operators/<operator_id>/remove")
def remove_submit(operator_id: str) -> ResponseReturnValue:
    current().operators.remove(_other(operator_id).label, require_person().actor)
    return redirect(url_for("operators.index"), 303)


@blueprint.post("/operators/teams")
def allow_team_submit() -> ResponseReturnValue:
    form = TeamForm()
    if not form.validate_on_submit():
        return _list(form), 422
    try:
        current().operators.allow_team(form.team_id.data or "", require_person().actor)
    except Refused as refusal:
        form.team_id.errors = [*form.team_id.errors, refusal.sentence]
        return _list(form), 422
    return redirect(url_for("operators.index"), 303)


@blueprint.post("/operators/teams/<team_id>/remove")
def remove_team_submit(team_id: str) -> ResponseReturnValue:
    """Stop allowing a team. One that somebody else has removed in the meantime stays removed."""
    if any(one.team_id == team_id for one in current().operators.teams()):
        current().operators.remove_team(team_id, require_person().actor)
    return redirect(url_for("operators.index"), 303)


def _list(form: TeamForm) -> str:
    operators = current().operators
    offers_slack = current().slack_sign_in.is_offered()
    return render_template(
        "console/operators/list.html",
        rows=operators.list_all(),
        teams=operators.teams(),
        form=form,
        offers_slack=offers_slack,
    )


def _other(operator_id: str) -> OperatorSummary:
    """Return another person than the one who is signed in. Raises NotFound, Refused."""
    found = current().operators.find(operator_id)
    if found.id == require_person().operator_id:
        raise Refused("You can’t change your own role or remove yourself. Ask another operator.")
    return found
