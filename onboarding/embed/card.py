"""Serve the card: a frame with the state of a connect session and its button, for pages that load no script of ours.

The session's token is in the address's fragment or comes in a message, so no log holds it. The card reads no cookie and
changes nothing: its button opens a window of its own.
"""

from collections.abc import Iterable

from flask import Blueprint, current_app, g, request

from onboarding.errors import NotFound, StorageProblem
from onboarding.http import languages
from onboarding.http.route_access import public
from onboarding.http.security_headers import HeaderPolicy, set_policy
from onboarding.runtime import current
from onboarding.services.connect_sessions import Embedding
from onboarding.translatable import marked

blueprint = Blueprint("card", __name__)


@blueprint.get("/embed/card")
@public
def show() -> str:
    if not _framing_origins():
        raise NotFound(marked("This card’s session does not exist, or no site is allowed to show the card."))
    # render_template would read the session, and the card has none.
    return current_app.jinja_env.get_template("embed/card.html").render(
        branding=_embedding().branding, language=languages.current_language()
    )


def _framing_origins() -> Iterable[str]:
    """Return the origins whose pages may show the card: those of the integration of the query's `session`."""
    try:
        found = _embedding()
    except StorageProblem:
        return ()
    # The playground shows practice integrations.
    return (*found.origins, *((current().settings.origin,) if found.is_practice else ()))


def _embedding() -> Embedding:
    """Return where the session may be shown, read once per request. Raises StorageProblem."""
    if "embedding" not in g:
        g.embedding = current().connect_sessions.embedding(request.args.get("session", ""))
    found: Embedding = g.embedding
    return found


set_policy(
    blueprint,
    HeaderPolicy(
        content_security_policy=(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors {framing}"
        ),
        referrer_policy="no-referrer",
        opener_policy=None,
        framing_origins=_framing_origins,
        is_for_success_only=True,
    ),
)
