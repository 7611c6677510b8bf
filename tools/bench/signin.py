"""Sign in to both apps as a browser does, and return the headers that the browser sends afterwards."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    status: int
    cookies: tuple[str, ...]
    body: str


#: Method, target, headers, body.
Ask = Callable[[str, str, Mapping[str, str], str], Answer]
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Form:
    """Request that a browser sends when the button of one of our pages is pressed."""

    headers: dict[str, str]
    body: str


def form_of(ask: Ask, target: str) -> Form:
    """Open a page of ours without a session. The token is valid for each form of the session that this starts."""
    page = ask("GET", target, {}, "")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.body)
    if token is None:
        raise RuntimeError(f"The page has no form: {page.status}.")
    return Form({"Cookie": _cookie(page.cookies), **_FORM}, f"csrf_token={token[1]}")


def cookie_of_ours(ask: Ask, target: str) -> str:
    """Open the one-time link, press its button and open the list, which gives the session its form token."""
    form = form_of(ask, target)
    signed_in = _cookie(ask("POST", target, form.headers, form.body).cookies)
    return _cookie(ask("GET", "/connections", {"Cookie": signed_in}, "").cookies)


def cookie_of_the_naive(ask: Ask, token: str) -> str:
    return _cookie(ask("POST", "/sign-in", _FORM, f"token={token}").cookies)


def _cookie(given: tuple[str, ...]) -> str:
    if not given:
        raise RuntimeError("Signing in gave no cookie.")
    return "; ".join(cookie.split(";")[0] for cookie in given)
