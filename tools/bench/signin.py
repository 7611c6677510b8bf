"""Signing in to both apps as a browser does, and what is then sent along."""

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


def cookie_of_ours(ask: Ask, target: str) -> str:
    """Opens the one-time link, presses its button and sees the list, with which the session gets its form token."""
    page = ask("GET", target, {}, "")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.body)
    if token is None:
        raise RuntimeError(f"The sign-in page has no form: {page.status}.")
    before = _cookie(page.cookies)
    signed_in = _cookie(ask("POST", target, {"Cookie": before, **_FORM}, f"csrf_token={token[1]}").cookies)
    return _cookie(ask("GET", "/connections", {"Cookie": signed_in}, "").cookies)


def cookie_of_the_naive(ask: Ask, token: str) -> str:
    return _cookie(ask("POST", "/sign-in", _FORM, f"token={token}").cookies)


def _cookie(given: tuple[str, ...]) -> str:
    if not given:
        raise RuntimeError("Signing in gave no cookie.")
    return "; ".join(cookie.split(";")[0] for cookie in given)
