"""Answer the probes of load balancers: is the process alive, is the database ready."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from onboarding.http.allowed_hosts import allow_any_host
from onboarding.http.route_access import public
from onboarding.runtime import current

blueprint = Blueprint("probes", __name__)


@blueprint.get("/healthz")
@public
@allow_any_host
def alive() -> ResponseReturnValue:
    return {"status": "ok"}


@blueprint.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    if fault := current().readiness.fault():
        return {"status": fault}, 503
    return {"status": "ready"}
