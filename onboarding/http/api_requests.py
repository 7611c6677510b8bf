"""Distinguish the API's requests from those for pages, also where no view matches the address."""

from flask import request

_PREFIXES = ("/v1/", "/v2/")
_ROOTS = ("/v1", "/v2")


def is_api_request() -> bool:
    """Return whether the request is for the API: its answers, errors included, are JSON, and it has no session.

    The address decides, not the view, so that an unknown address below a prefix counts as well.
    """
    return request.path.startswith(_PREFIXES) or request.path in _ROOTS
