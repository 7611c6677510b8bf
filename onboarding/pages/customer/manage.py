"""A customer's own page about their connection: its state, how to repair it, and how to end it."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding import texts
from onboarding.errors import LinkProblem
from onboarding.http import security_headers
from onboarding.http.form_checks import reload_on_csrf_failure
from onboarding.http.route_access import public
from onboarding.pages.customer import answers, attempt_cookies
from onboarding.pages.layout import Product
from onboarding.runtime import current
from onboarding.services.installs.manage import Managed
from onboarding.services.installs.permissions import permissions

blueprint = Blueprint("manage", __name__)
blueprint.register_error_handler(LinkProblem, answers.link_problem_page)
security_headers.set_policy(blueprint, security_headers.INSTALL_PAGE)


@blueprint.get("/connect/<token>/manage")
@public
def show(token: str) -> ResponseReturnValue:
    managed = _managed(token)
    if managed is None:
        return redirect(url_for("connect.start", token=token), 303)
    security_headers.allow_form_redirects_to_slack()
    connection = current().connections.detail(managed.environment_id, managed.identifier).connection
    has_all = "update_permissions" not in connection.next_steps
    missing = [] if has_all else [scope for scope in managed.requested_scopes if scope not in connection.scopes]
    return render_template(
        "customer/manage/show.html",
        managed=managed,
        connection=connection,
        text=texts.CUSTOMER_STATUSES[connection.status],
        cause=texts.customer_cause(connection.status, connection.status_reason),
        granted=permissions(",".join(connection.scopes)),
        missing=permissions(",".join(missing)),
        product=Product(managed.branding),
        reconnect_action=url_for("connect.start_submit", token=token),
        disconnect_url=url_for("manage.disconnect", token=token),
    )


@blueprint.get("/connect/<token>/disconnect")
@public
def disconnect(token: str) -> ResponseReturnValue:
    managed = _managed(token)
    if managed is None:
        return redirect(url_for("connect.start", token=token), 303)
    detail = current().connections.detail(managed.environment_id, managed.identifier)
    return render_template(
        "customer/manage/disconnect.html",
        managed=managed,
        connection=detail.connection,
        is_shared=detail.others > 0,
        product=Product(managed.branding),
        action=url_for("manage.disconnect_submit", token=token),
        keep_url=url_for("manage.show", token=token),
    )


@blueprint.post("/connect/<token>/disconnect")
@public
@reload_on_csrf_failure("manage.disconnect")
def disconnect_submit(token: str) -> ResponseReturnValue:
    managed = _managed(token)
    if managed is None or request.form.get("connection") != managed.identifier:
        # Somebody else has disconnected or replaced the connection that the page asked about.
        return redirect(url_for("manage.show", token=token), 303)
    current().connections.disconnect(managed.environment_id, managed.identifier, managed.actor)
    return redirect(url_for("manage.disconnected", token=token, connection=managed.identifier), 303)


@blueprint.get("/connect/<token>/disconnected")
@public
def disconnected(token: str) -> ResponseReturnValue:
    identifier = request.args.get("connection", "")
    link_id = current().links.read(token)
    last = current().managed.disconnected(link_id, identifier, attempt_cookies.binding)
    return render_template(
        "customer/manage/disconnected.html",
        last=last,
        text=texts.DISCONNECTED[last.result],
        product=Product(last.branding),
        connect_url=url_for("connect.start", token=token) if last.may_connect else None,
    )


def _managed(token: str) -> Managed | None:
    """Return the connection that the token's holder may manage. Raises LinkProblem."""
    return current().managed.find(current().links.read(token), attempt_cookies.binding)
