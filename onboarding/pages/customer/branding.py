"""Serve the logo and the colors of a product's pages. Both addresses name the content, so browsers keep it."""

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from onboarding import colors as accents
from onboarding.http import security_headers
from onboarding.http.route_access import public
from onboarding.runtime import current

blueprint = Blueprint("branding", __name__, url_prefix="/branding")
security_headers.set_policy(blueprint, security_headers.FINGERPRINTED_DATA)


@blueprint.get("/logos/<digest>.png")
@public
def logo(digest: str) -> ResponseReturnValue:
    picture = current().integrations.logo(digest)
    if picture is None:
        abort(404)
    return Response(picture, mimetype="image/png")


@blueprint.get("/colors/<color>.css")
@public
def colors(color: str) -> ResponseReturnValue:
    """Return a style sheet with the tones of an accent color, which the address names without `#`."""
    try:
        light, dark = accents.tones(accents.parse(f"#{color}"))
    except ValueError:
        abort(404)
    # The card has a theme of its own.
    both = f"--light-accent: {light['accent']}; --dark-accent: {dark['accent']}; "
    style = (
        f":root {{ {both}{_declarations(light)}}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_declarations(dark)}}} }}\n"
    )
    return Response(style, mimetype="text/css")


def _declarations(tones: dict[str, str]) -> str:
    return "".join(f"--{name}: {color}; " for name, color in tones.items())
