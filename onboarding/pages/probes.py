"""For load balancers: alive and ready."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from onboarding.http.route_access import public
from onboarding.runtime import current

blueprint = Blueprint("probes", __name__)


@blueprint.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    return {"status": "ok"}


@blueprint.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    if current().environments.is_ready():
        return {"status": "ready"}
    return {"status": "the database does not answer"}, 503
