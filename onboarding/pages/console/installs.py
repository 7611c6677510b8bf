"""Start an install as an operator."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding.http import security_headers
from onboarding.http.console_environment import environment_id, require_integrations
from onboarding.http.form_checks import reload_on_csrf_failure
from onboarding.http.operator_guard import require_person
from onboarding.pages.customer import answers
from onboarding.pages.layout import Product
from onboarding.runtime import current

blueprint = Blueprint("installs", __name__)
security_headers.set_policy(blueprint, security_headers.INSTALL_PAGE)


@blueprint.get("/slack/install")
def start() -> ResponseReturnValue:
    security_headers.allow_form_redirects_to_slack()
    integrations = current().integrations.all_of(environment_id())
    if not integrations:
        return render_template("customer/home/first_run.html", try_action=None, sign_in_hint=False)
    if len(integrations) > 1 and "integration" not in request.args:
        return render_template("console/installs/choose_app.html", integrations=integrations)
    selected = _selected()
    view = current().installs.view_operator(environment_id(), selected)
    return render_template(
        "customer/connect/start.html",
        start=view,
        product=Product(view.branding),
        action=url_for("installs.start_submit"),
        approval_action=url_for("installs.approval_submit", integration=selected),
        selected=selected,
        choose_app_url=url_for("installs.start") if len(integrations) > 1 else None,
    )


@blueprint.post("/slack/install")
@reload_on_csrf_failure("installs.start")
def start_submit() -> ResponseReturnValue:
    started = current().installs.start_operator(environment_id(), _selected(), require_person().label)
    return answers.redirect_to_slack(started)


@blueprint.post("/slack/install/approval")
@reload_on_csrf_failure("installs.start")
def approval_submit() -> ResponseReturnValue:
    """Create an approval link, which the operator forwards to a Slack admin."""
    started = current().installs.ask_approval_as_operator(environment_id(), _selected(), require_person().label)
    return answers.redirect_to_result(started)


def _selected() -> str:
    """Return the identifier of the integration that the form or the address names, otherwise of the first one."""
    asked = request.form.get("integration") or request.args.get("integration")
    if asked is not None:
        return asked
    return require_integrations()[0].identifier
