"""Bulk actions: choose connections in the list, confirm a disconnect, and follow the progress."""

from collections import Counter

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from onboarding import bulk_texts
from onboarding.errors import Refused
from onboarding.http.console_environment import environment_id
from onboarding.http.operator_guard import require_person
from onboarding.pages.list_query import set_filters
from onboarding.runtime import current
from onboarding.services.connections.bulk import NEWEST, BulkAction, BulkReport, NewBulkRun
from onboarding.services.connections.records import ConsoleSearch

blueprint = Blueprint("bulk", __name__)


@blueprint.get("/bulk")
def index() -> ResponseReturnValue:
    return render_template(
        "console/bulk/list.html",
        runs=current().bulk.newest(environment_id()),
        texts=bulk_texts.BULK_ACTIONS,
        limit=NEWEST,
    )


@blueprint.post("/bulk")
def new_submit() -> ResponseReturnValue:
    """Create a run for the chosen rows, or for all that match the filters."""
    form = request.form
    if form.get("action") not in set(BulkAction):
        abort(400)
    search = ConsoleSearch.from_query(form)
    is_all = form.get("scope") == "all"
    new = NewBulkRun(BulkAction(form["action"]), tuple(form.getlist("connection")), search if is_all else None)
    try:
        run_id = current().bulk.create(environment_id(), new, require_person().actor)
    except Refused as refusal:
        return redirect(url_for("connections.index", **set_filters(search), bulk=refusal.code), 303)
    return redirect(url_for("bulk.show", run_id=run_id), 303)


@blueprint.get("/bulk/<run_id>")
def show(run_id: str) -> ResponseReturnValue:
    report = current().bulk.find(environment_id(), run_id)
    return render_template(
        "console/bulk/show.html",
        run=report.summary,
        items=report.items,
        text=bulk_texts.BULK_ACTIONS[report.summary.action],
        results=bulk_texts.BULK_RESULTS,
        numbers=_numbers(report),
        url_of=current().links.url,
    )


@blueprint.post("/bulk/<run_id>/start")
def start_submit(run_id: str) -> ResponseReturnValue:
    current().bulk.start(environment_id(), run_id)
    return redirect(url_for("bulk.show", run_id=run_id), 303)


def _numbers(report: BulkReport) -> list[tuple[str, int]]:
    """Return how many connections have each result, the most frequent first."""
    labels = (bulk_texts.BULK_RESULTS[one.result].label for one in report.items if one.result)
    return Counter(labels).most_common()
