"""Show the audit log with filters, and export it."""

from dataclasses import fields
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding import audit_texts
from onboarding.documents import timestamp
from onboarding.http.operator_guard import environment_id
from onboarding.http.route_access import allow_viewers
from onboarding.http.spreadsheet import csv_response
from onboarding.runtime import current
from onboarding.services.audit_log import ACTIONS, AuditLine, AuditSearch

blueprint = Blueprint("audit", __name__)
#: The names of the filters, in the address and in the form.
_FILTERS = tuple(field.name for field in fields(AuditSearch))
_MAX_TEXT_LENGTH = 320
_TITLES = ("Time", "Environment", "Actor kind", "Actor", "Action", "Subject", "Subject name", "Result", "Detail")


@blueprint.get("/audit")
@allow_viewers
def index() -> ResponseReturnValue:
    search = _search()
    page = current().audit_log.page(environment_id(), search, request.args.get("after"), request.args.get("before"))
    return render_template(
        "console/audit/list.html",
        page=page,
        filters=search,
        actions={one: audit_texts.audit_action(one) for one in ACTIONS},
        actors=audit_texts.AUDIT_ACTORS,
        periods=audit_texts.AUDIT_PERIODS,
        next_url=url_for("audit.index", after=page.next, **_given(search)) if page.next else None,
        previous_url=url_for("audit.index", before=page.previous, **_given(search)) if page.previous else None,
        export_url=url_for("audit.export", **_given(search)),
    )


@blueprint.get("/audit.csv")
@allow_viewers
def export() -> ResponseReturnValue:
    lines = current().audit_log.export(environment_id(), _search())
    return csv_response("audit.csv", _TITLES, map(_cells, lines))


def _search() -> AuditSearch:
    return AuditSearch(**{name: request.args.get(name, "").strip()[:_MAX_TEXT_LENGTH] for name in _FILTERS})


def _given(search: AuditSearch) -> dict[str, Any]:
    return {name: value for name in _FILTERS if (value := getattr(search, name))}


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
