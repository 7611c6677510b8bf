"""The language of customers' pages: the one that the person chose, else the embedding page's, else the browser's.

The console is in English. The catalogs are in `translations/`; a language without a compiled catalog is not offered.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

import flask_babel
import structlog
from babel.dates import get_month_names
from flask import Blueprint, Flask, Response, current_app, g, has_request_context, request, session
from werkzeug.datastructures import LanguageAccept

from onboarding import files
from onboarding.runtime import current

#: The names of languages, in these languages.
NAMES = {"en": "English", "de": "Deutsch"}
ENGLISH = "en"
#: The query parameter that chooses a language, and the cookie that remembers it.
_PARAMETER = "lang"
_COOKIE = "language"
#: The query parameter in which an embed passes the language of its page, as a language tag (OpenID Connect Core,
#: section 3.1.2.1). The session keeps it under the same name.
_SUGGESTED = "ui_locales"
#: Parameters that Slack adds to the address of the callback.
_SECRET_PARAMETERS = ("code", "state")
_COOKIE_SECONDS = 365 * 24 * 3600
_LOG = structlog.get_logger(__name__)
_OFFERED = "onboarding.languages"
_PAGES = "onboarding.translated"
_WITHOUT_COOKIE = "onboarding.translated_without_cookie"


@dataclass(frozen=True)
class Choice:
    code: str
    name: str
    #: This page in the language; None for the language that it has.
    url: str | None


def register(app: Flask) -> None:
    folder = str(files.translations())
    babel = flask_babel.Babel(app, default_translation_directories=folder, locale_selector=current_language)
    with app.app_context():
        found = {one.language for one in babel.list_translations()}
    app.extensions[_OFFERED] = tuple(name for name in NAMES if name in found)
    if missing := sorted(NAMES.keys() - found):
        # A checkout has no compiled catalogs. `make run` compiles them.
        _LOG.warning("languages.not_compiled", languages=missing, compile_with=f"pybabel compile --directory={folder}")
    app.extensions[_PAGES], app.extensions[_WITHOUT_COOKIE] = set(), set()
    app.jinja_env.filters.update(translated=translate)
    app.after_request(_remember)


def offer(app: Flask, blueprint: Blueprint, *, reads_cookie: bool = True) -> None:
    """Translate a blueprint's pages. All other pages are in English, except those of addresses that do not exist."""
    app.extensions[_PAGES].add(blueprint.name)
    if not reads_cookie:
        app.extensions[_WITHOUT_COOKIE].add(blueprint.name)


def use_english() -> None:
    """Show the current page in English: it is for operators."""
    g.is_for_operators = True
    g.pop("language", None)
    flask_babel.refresh()


def current_language() -> str:
    """Return the language of the current page; English outside of a request."""
    if not has_request_context():
        return ENGLISH
    if "language" not in g:
        g.language = _negotiated() if _is_translated() else ENGLISH
    found: str = g.language
    return found


def choices() -> tuple[Choice, ...]:
    """Return the languages in which the current page can be shown; none if there is no choice.

    A page at Slack's callback offers none: its address contains Slack's code and the state, which no page repeats.
    """
    offered, arguments = current_app.extensions[_OFFERED], request.args.to_dict()
    if len(offered) < 2 or not _is_translated() or not arguments.keys().isdisjoint(_SECRET_PARAMETERS):
        return ()
    return tuple(
        Choice(one, NAMES[one], None if one == current_language() else f"?{urlencode({**arguments, _PARAMETER: one})}")
        for one in offered
    )


def translate(text: str, **values: object) -> str:
    """Return a text from a catalog, with `%(name)s` replaced."""
    return str(flask_babel.gettext(text, **values))


def month(number: int, *, is_short: bool) -> str:
    """Return the name of a month in the current language."""
    names = get_month_names("abbreviated" if is_short else "wide", locale=current_language())
    return str(names[number])


def _is_translated() -> bool:
    if g.get("is_for_operators"):
        return False
    return request.endpoint is None or request.blueprint in current_app.extensions[_PAGES]


def _negotiated() -> str:
    offered = current_app.extensions[_OFFERED]
    reads_cookie = request.blueprint not in current_app.extensions[_WITHOUT_COOKIE]
    kept = request.cookies.get(_cookie_name(), "") if reads_cookie else ""
    for asked in (request.args.get(_PARAMETER, ""), kept):
        if asked in offered:
            return str(asked)
    suggested = _suggested() or (session.get(_SUGGESTED) if reads_cookie else None)
    return suggested or request.accept_languages.best_match(offered) or ENGLISH


def _suggested() -> str | None:
    """Return the language that is offered and matches the one of an embed's page, such as `de` for `de-AT`."""
    tag = request.args.get(_SUGGESTED)
    return LanguageAccept([(tag, 1)]).best_match(current_app.extensions[_OFFERED]) if tag else None


def _remember(response: Response) -> Response:
    """Keep the language that the person chose on this page, and the one that an embed suggested."""
    if not request.query_string or not _is_translated() or request.blueprint in current_app.extensions[_WITHOUT_COOKIE]:
        return response
    # An address that does not exist may be the API's, which has no session.
    if request.blueprint and (suggested := _suggested()):
        session[_SUGGESTED] = suggested
    asked = request.args.get(_PARAMETER)
    if asked is not None and asked in current_app.extensions[_OFFERED]:
        is_https = current().settings.is_https
        response.set_cookie(
            _cookie_name(), asked, max_age=_COOKIE_SECONDS, secure=is_https, httponly=True, samesite="Lax"
        )
    return response


def _cookie_name() -> str:
    return f"__Host-{_COOKIE}" if current().settings.is_https else _COOKIE
