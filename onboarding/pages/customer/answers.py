"""Answers that several views give: the redirect to Slack, the way on after a callback, and the pages of an outcome.

This module has no routes, so that no view has to import another.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from flask import Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from onboarding.branding import Branding
from onboarding.errors import LinkProblem
from onboarding.http import console_environment
from onboarding.http.languages import translate
from onboarding.http.operator_guard import current_editor, signed_in_person
from onboarding.http.security_headers import allow_form_redirects_to_slack
from onboarding.outcomes import OUTCOMES, GrantResult, Outcome
from onboarding.pages.customer import attempt_cookies, popups
from onboarding.pages.layout import Product, default_product
from onboarding.runtime import current
from onboarding.services.installs.records import InstallStep, NextPage, StartedAttempt, StartPage
from onboarding.services.installs.result_record import Result
from onboarding.translatable import marked

#: The actions that a result page can offer, by the names that its templates use.
_ACTIONS = ("approval", "try_again", "ask_admin", "replace", "choose_again", "decline")


@dataclass(frozen=True)
class Approval:
    """A link to forward to a Slack admin, with the message to send along."""

    url: str
    message: str
    expires_at: datetime
    #: The address that reports whether the admin has connected; None on a page that shows no attempt.
    status_url: str | None = None


def redirect_to_slack(started: StartedAttempt) -> Response:
    """Redirect to Slack's consent page, and bind the attempt to this browser by its cookie.

    An attempt that could not start has a page instead.
    """
    if started.authorize_url is None:
        return redirect_to_result(started)
    return _redirect_with_cookie(started.authorize_url, started, is_approval=False)


def redirect_to_result(started: StartedAttempt) -> Response:
    """Redirect to the attempt's page, such as one with an approval link, and bind the attempt to this browser."""
    return _redirect_with_cookie(url_for("results.show", attempt_id=started.attempt_id), started, is_approval=True)


def continue_after(step: InstallStep) -> ResponseReturnValue:
    """Answer with the page that follows a callback or a set-up form.

    The redirects lead away from the address that contains Slack's code.
    """
    if step.next_page == NextPage.WAITING:
        return waiting_page()
    if step.next_page == NextPage.SETUP:
        return redirect(url_for("setup.form", attempt_id=step.attempt_id), 303)
    if step.next_page == NextPage.UNSTORED:
        return redirect(url_for("results.unstored", attempt_id=step.attempt_id, grant=step.grant_result), 303)
    if step.attempt_id is None:
        return redirect_to_ended(step.outcome or Outcome.STATE_UNKNOWN)
    if step.outcome == Outcome.OTHER_BROWSER:
        token = current().installs.restart_token(step.attempt_id)
        return redirect(url_for("results.elsewhere", token=token), 303)
    again = 1 if step.outcome == Outcome.REPLAY_OK else None
    return redirect(url_for("results.show", attempt_id=step.attempt_id, again=again), 303)


def waiting_page() -> str:
    """Render the page that loads itself again. It does not contain its own address."""
    return render_template("customer/callback/finishing.html", refresh_seconds=2, refresh_url="")


def redirect_to_ended(outcome: Outcome) -> ResponseReturnValue:
    """Redirect to the page of an outcome that belongs to no attempt of this browser."""
    return redirect(url_for("results.ended", outcome=outcome.value), 303)


def neutral_page(outcome: Outcome) -> ResponseReturnValue:
    """Render a page without workspace and account: for another browser, or an unknown attempt."""
    return result_page(Result(outcome))


def link_problem_page(problem: LinkProblem) -> ResponseReturnValue:
    """Answer an unusable link. The browser that used it gets its result; others learn only that it was used."""
    used = problem.attempt_id
    if used and current().installs.is_of_this_browser(used, attempt_cookies.binding(used)):
        return redirect(url_for("results.show", attempt_id=used, again=1), 303)
    row, details = OUTCOMES[Outcome(problem.code)], problem.details
    page = render_template(
        f"customer/results/{row.page}.html",
        result=Result(
            row.outcome,
            return_url=details.return_url,
            refresh_url=details.refresh_url,
            link_expired_at=details.expires_at,
        ),
        product=Product(details.branding) if details.branding.name else default_product(),
        **dict.fromkeys(_ACTIONS),
    )
    return page, row.status


def storage_problem_page(reference: str = "", grant_result: GrantResult | None = None) -> ResponseReturnValue:
    """Render the page of the outcome `storage_error` without asking the database."""
    row = OUTCOMES[Outcome.STORAGE_ERROR]
    result = Result(row.outcome, reference=reference, grant_result=grant_result)
    product = Product(Branding(current().settings.product_name))
    actions = dict.fromkeys(_ACTIONS)
    page = render_template(f"customer/results/{row.page}.html", result=result, product=product, **actions)
    return page, row.status


def result_page(result: Result) -> ResponseReturnValue:
    """Render the page of an attempt: the actions that its outcome allows, or that Slack's answer is still awaited."""
    if result.outcome is None:
        return waiting_page()
    # Buttons such as *Try again* lead to Slack.
    allow_form_redirects_to_slack()
    row = OUTCOMES[result.outcome]
    opener = popups.opener_of(result.link_id)
    # In a popup, the page to return to is the one behind it.
    result = replace(result, return_url=None) if opener else result
    has_wrong_workspace = result.outcome == Outcome.WRONG_WORKSPACE
    may_choose = has_wrong_workspace and not result.is_unopened
    page = render_template(
        f"customer/results/{'ended' if result.has_ended else row.page}.html",
        result=result if signed_in_person() else replace(result, operator_detail=None),
        product=Product(result.branding) if result.branding.name else default_product(),
        opener=opener,
        connection_url=console_url(result.environment_id, result.connection_identifier),
        attempt_url=_attempt_url(result),
        manage_url=_manage_url(result),
        approval=_approval_of(result),
        try_again=_try_again_url(result),
        ask_admin=_ask_admin_url(result) if result.finished_here else None,
        replace=url_for("results.replace_submit", attempt_id=result.attempt_id) if may_choose else None,
        choose_again=url_for("results.choose_again_submit", attempt_id=result.attempt_id) if may_choose else None,
        decline=url_for("setup.cancel_submit", attempt_id=result.attempt_id) if has_wrong_workspace else None,
    )
    return page, row.status, {"Retry-After": str(result.retry_after_seconds)} if result.retry_after_seconds else {}


def approval_awaited(start: StartPage) -> Approval | None:
    """Return the approval that the holder of a link waits for, if they may see its link."""
    found = start.approval
    return _approval_link(found.link_id, start.app_name, found.expires_at) if found and found.link_id else None


def console_url(environment_id: str, identifier: str | None) -> str | None:
    """Return the connection's page in the console; None for customers."""
    if not identifier or signed_in_person() is None:
        return None
    return console_environment.console_url(environment_id, "connections.show", identifier=identifier)


def _attempt_url(result: Result) -> str | None:
    """Return the attempt's page in the console; None for customers."""
    if not result.reference or not result.environment_id or signed_in_person() is None:
        return None
    return console_environment.console_url(result.environment_id, "attempts.show", reference=result.reference)


def _redirect_with_cookie(url: str, started: StartedAttempt, is_approval: bool) -> Response:
    # 303 makes the browser GET the next page, so a reload does not send the form again (RFC 9110, section 15.4.4).
    response = make_response(redirect(url, 303))
    attempt_cookies.keep(response, started.attempt_id, started.binding, is_approval)
    return response


def _manage_url(result: Result) -> str | None:
    """Return the page on which the person manages the connection that they have just created."""
    is_own = result.finished_here and result.outcome is not None and result.outcome.is_success
    if not is_own or result.link_id is None:
        return None
    return url_for("manage.show", token=current().links.token(result.link_id))


def _try_again_url(result: Result) -> str | None:
    if result.restart_token:
        return url_for("results.elsewhere_submit", token=result.restart_token)
    if result.link_id:
        return url_for("connect.start_submit", token=current().links.token(result.link_id))
    if result.is_operators and current_editor():
        return console_environment.console_url(
            result.environment_id, "installs.start_submit", integration=result.integration_identifier
        )
    return None


def _ask_admin_url(result: Result) -> str | None:
    """Return None for a reconnect by a used link: an admin could not use it."""
    if result.link_id and not result.link_is_used:
        return url_for("connect.approval_submit", token=current().links.token(result.link_id))
    if result.is_operators and current_editor():
        return console_environment.console_url(
            result.environment_id, "installs.approval_submit", integration=result.integration_identifier
        )
    return None


def _approval_link(link_id: str, app_name: str, expires_at: datetime) -> Approval:
    """Return a link for an admin, with the message to send along in the language of the page."""
    url = current().links.url(link_id)
    asked = translate(marked("Hi, could you connect our Slack workspace to %(product)s?"), product=app_name)
    listed = translate(marked("The page lists the permissions before you approve anything."))
    return Approval(url, f"{asked}\n{url}\n{listed}", expires_at)


def _approval_of(result: Result) -> Approval | None:
    if not result.approval_link_id or not result.approval_expires_at:
        return None
    shown = _approval_link(result.approval_link_id, result.app_name, result.approval_expires_at)
    return replace(shown, status_url=url_for("results.status", attempt_id=result.attempt_id))
