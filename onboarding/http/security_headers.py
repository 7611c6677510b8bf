"""Send each response with the security and caching headers of its blueprint's policy."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, request

from onboarding.http import static_files
from onboarding.http.api_requests import is_api_request
from onboarding.runtime import current

_PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors {framing}; form-action {forms}"
)


@dataclass(frozen=True)
class HeaderPolicy:
    """The headers of a blueprint's responses. The defaults suit a page; a field that is None sends no header."""

    #: A template: `{framing}` and `{forms}` stand for the sources of `frame-ancestors` and `form-action`.
    content_security_policy: str | None = _PAGE_CSP
    cache_control: str = "no-store"
    referrer_policy: str | None = "same-origin"
    opener_policy: str | None = "same-origin"
    #: Returns the origins whose pages may show the current response in a frame: none, unless a blueprint names them.
    framing_origins: Callable[[], Iterable[str]] = tuple
    #: Whether pages of other sites load the response, also as a module script or under `Cross-Origin-Embedder-Policy`.
    is_for_other_sites: bool = False
    #: Whether the blueprint's errors are sent with the headers of a page instead.
    is_for_success_only: bool = False


PAGE = HeaderPolicy()
#: A page of the install flow. Any stricter opener policy, on a redirect too, cuts a popup off from its opener.
INSTALL_PAGE = HeaderPolicy(opener_policy="unsafe-none")
#: A console page that shows the card in a frame, and whose popup must keep its opener.
PLAYGROUND = replace(INSTALL_PAGE, content_security_policy=f"{_PAGE_CSP}; frame-src 'self'")
_FILE = HeaderPolicy(
    content_security_policy=None,
    cache_control="public, max-age=300",
    referrer_policy=None,
    opener_policy=None,
    is_for_success_only=True,
)
#: A script or an image for pages of other sites. Opened by itself, it runs nothing.
EMBEDDED_FILE = replace(
    _FILE, content_security_policy="default-src 'none'; frame-ancestors {framing}", is_for_other_sites=True
)
#: The address names the content, which therefore never changes.
_FINGERPRINTED_FILE = replace(_FILE, cache_control="public, max-age=31536000, immutable")
#: The same for content that is stored in the database, or computed from the address. Opened by itself, it runs nothing.
FINGERPRINTED_DATA = replace(
    _FINGERPRINTED_FILE, content_security_policy="default-src 'none'; sandbox; frame-ancestors {framing}"
)
#: A browser that opens the API's address shows text and runs nothing.
_API = HeaderPolicy(
    content_security_policy="default-src 'none'; frame-ancestors {framing}",
    referrer_policy="no-referrer",
    opener_policy=None,
)
#: For the blueprint of a program that signs its requests, such as Slack.
SIGNED_REQUEST = _API
_POLICIES: dict[str, HeaderPolicy] = {}


def set_policy(blueprint: Blueprint, policy: HeaderPolicy) -> None:
    """Use `policy` instead of `PAGE` for the responses of a blueprint."""
    _POLICIES[blueprint.name] = policy


def allow_form_redirects_to_slack() -> None:
    """Let the forms of this page lead to Slack: browsers apply `form-action` to redirects after a post as well."""
    g.forms_lead_to_slack = True


def register(app: Flask) -> None:
    app.after_request(_send)


def _send(response: Response) -> Response:
    policy = _policy_for(response)
    # Replaced, because Flask has set this header for a file.
    response.headers["Cache-Control"] = policy.cache_control
    response.headers.extend(
        _headers(policy, " ".join(policy.framing_origins()), _form_targets(), current().settings.is_https)
    )
    return response


@lru_cache(maxsize=256)
def _headers(policy: HeaderPolicy, framing: str, forms: str, is_https: bool) -> tuple[tuple[str, str], ...]:
    """Return all headers of a policy except `Cache-Control`.

    `framing`: the sources of `frame-ancestors`, empty for none. `forms`: the sources of `form-action`.
    """
    csp = policy.content_security_policy
    found = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": csp and csp.format(framing=framing or "'none'", forms=forms),
        # For browsers without `frame-ancestors`. This header cannot name several origins.
        "X-Frame-Options": "DENY" if csp and not framing else None,
        "Referrer-Policy": policy.referrer_policy,
        "Cross-Origin-Opener-Policy": policy.opener_policy,
        "Cross-Origin-Resource-Policy": "cross-origin" if policy.is_for_other_sites else None,
        "Access-Control-Allow-Origin": "*" if policy.is_for_other_sites else None,
        "Strict-Transport-Security": "max-age=31536000" if is_https else None,
    }
    return tuple((name, value) for name, value in found.items() if value)


def _policy_for(response: Response) -> HeaderPolicy:
    if is_api_request():
        return _API
    policy = _static_policy() if request.endpoint == "static" else _POLICIES.get(request.blueprint or "", PAGE)
    # The answer to a missing file is a page.
    return PAGE if policy.is_for_success_only and response.status_code >= 400 else policy


def _static_policy() -> HeaderPolicy:
    return _FINGERPRINTED_FILE if static_files.is_current() else _FILE


def _form_targets() -> str:
    """Return the sources of `form-action`."""
    if not g.get("forms_lead_to_slack"):
        return "'self'"
    # Slack redirects to the workspace's own address or a company's sign-in, and each hop has to be allowed.
    slack = urlsplit(current().settings.slack_url)
    return "'self' https:" + (f" {slack.scheme}://{slack.netloc}" if slack.scheme == "http" else "")
