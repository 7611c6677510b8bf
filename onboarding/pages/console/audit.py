"""Show the audit log with filters, and export it."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding import audit_texts, spreadsheet
from onboarding.documents import timestamp
from onboarding.http.console_environment import environment_id
from onboarding.http.downloads import download
from onboarding.http.route_access import allow_viewers
from onboarding.pages.list_query import drop_empty_filters, page_url, read_search, set_filters
from onboarding.runtime import current
from onboarding.services.audit_log import ACTIONS, AuditLine, AuditSearch

blueprint = Blueprint("audit", __name__)
blueprint.before_request(drop_empty_filters)
_TITLES = ("Time", "Environment", "Actor kind", "Actor", "Action", "Subject", "Subject name", "Result", "Detail")


@blueprint.get("/audit")
@allow_viewers
def index() -> ResponseReturnValue:
    search = read_search(AuditSearch)
    page = current().audit_log.page(environment_id(), search, request.args.get("after"), request.args.get("before"))
    return render_template(
        "console/audit/list.html",
        page=page,
        filters=search,
        actions={one: audit_texts.audit_action(one) for one in ACTIONS},
        actors=audit_texts.AUDIT_ACTORS,
        periods=audit_texts.AUDIT_PERIODS,
        next_url=page_url("audit.index", search, after=page.next),
        previous_url=page_url("audit.index", search, before=page.previous),
        export_url=url_for("audit.export", **set_filters(search)),
    )


@blueprint.get("/audit.csv")
@allow_viewers
def export() -> ResponseReturnValue:
    lines = current().audit_log.export(environment_id(), read_search(AuditSearch))
    return download("audit.csv", spreadsheet.csv_lines(_TITLES, map(_cells, lines)), "text/csv")


def _cells(line: AuditLine) -> tuple[str, ...]:
    return (
        timestamp(line.at),
        line.environment,
        line.actor_kind,
        line.actor,
        line.action,
        line.subject,
        line.subject_name,
        line.result,
        line.detail,
    )
