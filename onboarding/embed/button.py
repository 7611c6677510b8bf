"""Draw the "Add to Slack" button, for a link on any page or in an email."""

from dataclasses import dataclass
from functools import cache
from itertools import product

from flask import Blueprint, Response, current_app, request, send_from_directory
from flask.typing import ResponseReturnValue

from onboarding import files
from onboarding.errors import Refused
from onboarding.http import security_headers
from onboarding.http.route_access import public

blueprint = Blueprint("button", __name__)
security_headers.set_policy(blueprint, security_headers.EMBEDDED_FILE)


@dataclass(frozen=True)
class _Shape:
    """Sizes in CSS pixels."""

    width: int
    height: int
    font: int
    icon: int


@dataclass(frozen=True)
class _Colors:
    background: str
    border: str
    text: str


#: The sizes and colors of Slack's own button. The first name of each kind is the default.
_SIZES = {"default": _Shape(236, 48, 16, 20), "small": _Shape(204, 44, 14, 16), "large": _Shape(276, 56, 18, 24)}
_THEMES = {"light": _Colors("#fff", "#ddd", "#000"), "dark": _Colors("#4a154b", "#4a154b", "#fff")}
_LANGUAGES = ("en", "de")


@dataclass(frozen=True)
class Kind:
    theme: str
    size: str
    language: str

    @property
    def file_name(self) -> str:
        """Return the name of its picture below `static/embed`, which `make embed` writes."""
        return f"button-{self.theme}-{self.size}-{self.language}.png"


KINDS = tuple(Kind(*one) for one in product(_THEMES, _SIZES, _LANGUAGES))


@blueprint.get("/embed/button.svg")
@public
def svg() -> ResponseReturnValue:
    return Response(draw(_requested()), mimetype="image/svg+xml")


@blueprint.get("/embed/button.png")
@public
def png() -> ResponseReturnValue:
    """Send the drawing at twice its size. Most mail programs show no SVG."""
    return send_from_directory(files.static() / "embed", _requested().file_name)


@cache
def draw(kind: Kind) -> str:
    # render_template would read the session, but this answer is the same for everyone.
    template = current_app.jinja_env.get_template("embed/button.svg")
    return template.render(shape=_SIZES[kind.size], colors=_THEMES[kind.theme], lang=kind.language)


def _requested() -> Kind:
    """Return the button that the query names. Raises Refused for a value that does not exist."""
    return Kind(_chosen("theme", *_THEMES), _chosen("size", *_SIZES), _chosen("lang", *_LANGUAGES))


def _chosen(name: str, *offered: str) -> str:
    value = request.args.get(name, offered[0])
    if value not in offered:
        raise Refused(f"{name} must be one of {', '.join(offered)}.")
    return value
