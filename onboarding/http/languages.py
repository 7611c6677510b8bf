"""The language of customers' pages: the one that the person chose, else the browser's, else English.

The console is in English. The catalogs are in `translations/`; a language without a compiled catalog is not offered.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

import flask_babel
from babel.dates import get_month_names
from flask import Blueprint, Flask, Response, current_app, g, has_request_context, request

from onboarding import files
from onboarding.runtime import current

#: The names of languages, in these languages.
NAMES = {"en": "English", "de": "Deutsch"}
ENGLISH = "en"
#: The query parameter that chooses a language, and the cookie that remembers it.
_PARAMETER = "lang"
_COOKIE = "language"
#: Parameters that Slack adds to the address of the callback.
_SECRET_PARAMETERS = ("code", "state")
_COOKIE_SECONDS = 365 * 24 * 3600
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
    app.extensions[_PAGES], app.extensions[_WITHOUT_COOKIE] = set(), set()
    app.jinja_env.filters.update(translated=translate, translated_or=translated_or)
    app.after_request(_remember)


def offer(app: Flask, blueprint: Blueprint, *, reads_cookie: bool = True) -> None:
    """Translate the pages of a blueprint. All other pages are in English, except those of addresses that do not exist."""
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


def translated_or(text: str | None, other: str) -> str:
    """Return the translation of a text that may be in no catalog, such as one with an error code; otherwise that of another."""
    found = translate(text or other)
    return translate(other) if found == text and current_language() != ENGLISH else found


def month(number: int, *, is_short: bool) -> str:
    """Return the name of a month in the current language, which is not English."""
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
    return request.accept_languages.best_match(offered) or ENGLISH


def _remember(response: Response) -> Response:
    """Keep the language that the person chose on this page."""
    asked = request.args.get(_PARAMETER)
    if asked is None or asked not in current_app.extensions[_OFFERED] or not _is_translated():
        return response
    if request.blueprint not in current_app.extensions[_WITHOUT_COOKIE]:
        is_https = current().settings.is_https
        response.set_cookie(
            _cookie_name(), asked, max_age=_COOKIE_SECONDS, secure=is_https, httponly=True, samesite="Lax"
        )
    return response


def _cookie_name() -> str:
    return f"__Host-{_COOKIE}" if current().settings.is_https else _COOKIE
