"""Show a link's start page, and start an attempt when its button is pressed."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding.errors import LinkProblem
from onboarding.http import security_headers
from onboarding.http.form_checks import reload_on_csrf_failure
from onboarding.http.route_access import public
from onboarding.pages.customer import answers, attempt_cookies, popups
from onboarding.pages.layout import Product
from onboarding.runtime import current

blueprint = Blueprint("connect", __name__)
blueprint.register_error_handler(LinkProblem, answers.link_problem_page)
security_headers.set_policy(blueprint, security_headers.INSTALL_PAGE)


@blueprint.get("/connect/<token>")
@public
def start(token: str) -> ResponseReturnValue:
    security_headers.allow_form_redirects_to_slack()
    link_id = current().links.read(token)
    attempt_cookies.note_opened_link(link_id)
    opener = popups.note_opener(link_id)
    view = current().installs.view_link(link_id)
    page = "already_connected" if view.existing else "start"
    return render_template(
        f"customer/connect/{page}.html",
        start=view,
        approval=answers.approval_awaited(view),
        connection_url=answers.console_url(view.environment_id, view.existing.identifier if view.existing else None),
        product=Product(view.branding),
        action=url_for("connect.start_submit", token=token),
        approval_action=url_for("connect.approval_submit", token=token),
        # In a popup, the page to return to is the one behind it.
        return_url=None if opener else view.return_url,
        opener=opener if view.existing or view.approval else None,
        manage_url=url_for("manage.show", token=token) if view.names_workspace else None,
    )


@blueprint.post("/connect/<token>")
@public
@reload_on_csrf_failure("connect.start")
def start_submit(token: str) -> ResponseReturnValue:
    link_id, is_other = current().links.read(token), request.form.get("intent") == "other_workspace"
    started = current().installs.start_link(link_id, is_other, binding_of=attempt_cookies.binding)
    return answers.redirect_to_slack(started)


@blueprint.post("/connect/<token>/approval")
@public
@reload_on_csrf_failure("connect.start")
def approval_submit(token: str) -> ResponseReturnValue:
    """Create an approval link, which the person forwards to a Slack admin."""
    return answers.redirect_to_result(current().installs.ask_approval_with_link(current().links.read(token)))
