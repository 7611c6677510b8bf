"""Sign in with Slack: OpenID Connect (https://docs.slack.dev/authentication/sign-in-with-slack) through Authlib.

The issuer and the addresses of all endpoints are fixed: no discovery document could point them elsewhere.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin

import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from onboarding.clock import Clock
from onboarding.errors import SlackDown, SlackRefused
from onboarding.slack.gateway import AppCredentials
from onboarding.slack.pool import Pool, Reply

#: Slack takes them in any order. They cannot be mixed with scopes of an install.
SCOPES = "openid email profile"
#: Slack signs with RS256 alone. Headers that a later version adds are no reason to refuse a token.
_REGISTRY = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
#: How far Slack's clock and ours may differ.
_LEEWAY_SECONDS = 60
_TEAM_ID, _USER_ID = "https://slack.com/team_id", "https://slack.com/user_id"
_SLACK_ID = re.compile(r"[A-Z][A-Z0-9]{1,30}\Z")
_MAX_NAME_LENGTH = 200
_ERROR_CODE = re.compile(r"[a-z_]{1,60}\Z")
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SlackPerson:
    """A person who signed in at Slack. A user id is unique within its team only."""

    team_id: str
    user_id: str
    #: For display: anyone can change their own name, and Slack may leave it out.
    name: str


class SignInInvalid(SlackRefused):
    """Slack's ID token is invalid. `code` says in which way, without a value from the token."""


class SlackOpenId:
    """Slack as an OpenID provider. Keys are remembered until a token names one that is unknown."""

    def __init__(self, pool: Pool, now: Clock) -> None:
        self._pool, self._now = pool, now
        self._lock = threading.Lock()
        self._keys: dict[str, KeySet] = {}

    def authorize_url(self, app: AppCredentials, redirect_uri: str, state: str, nonce: str) -> str:
        """Return the address of Slack's sign-in page."""
        url, _state = self._client(app).create_authorization_url(
            f"{app.slack_url}/openid/connect/authorize",
            state=state,
            nonce=nonce,
            redirect_uri=redirect_uri,
            scope=SCOPES,
        )
        return str(url)

    def identify(self, app: AppCredentials, code: str, redirect_uri: str, nonce: str) -> SlackPerson:
        """Exchange Slack's code and return the person that its ID token names. Sent once: a code is valid once.

        Raises SlackRefused with Slack's error code, SignInInvalid if the token is not Slack's, not for this app,
        expired or an answer to another request, and SlackDown if Slack did not answer.
        """
        token = app.with_each_secret(lambda secret: self._exchange(app, secret, code, redirect_uri))
        return _person(self._claims(app, token, nonce))

    def _exchange(self, app: AppCredentials, secret: str, code: str, redirect_uri: str) -> dict[str, Any]:
        """Return the token response. Raises SlackRefused, SlackDown."""
        try:
            return dict(
                self._client(app, secret).fetch_token(
                    urljoin(app.api_url, "openid.connect.token"),
                    grant_type="authorization_code",
                    code=code,
                    redirect_uri=redirect_uri,
                )
            )
        except AuthlibBaseError as refusal:
            code = str(refusal.error)
            if code in ("ratelimited", "rate_limited"):
                raise SlackDown("Slack asked us to slow down.") from None
            raise SlackRefused(code if _ERROR_CODE.match(code) else "unknown_error") from None
        except ValueError:
            raise SlackDown("Slack's answer to the sign-in is not a JSON object.") from None

    def _claims(self, app: AppCredentials, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        """Check the signature and the claims of the ID token (OpenID Connect Core 1.0, section 3.1.3.7)."""
        options: dict[str, Any] = {
            "iss": {"essential": True, "value": app.slack_url},
            "aud": {"essential": True, "value": app.client_id},
        }
        sent = {"nonce": nonce, "client_id": app.client_id, "access_token": token.get("access_token")}
        try:
            decoded = self._decoded(app, token.get("id_token"))
            claims = CodeIDToken(decoded.claims, decoded.header, options, sent)
            claims.validate(now=int(self._now().timestamp()), leeway=_LEEWAY_SECONDS)
        except JoseError as fault:
            # The description of a wrong claim names the claim, never its value.
            _LOG.warning("sign_in.token_invalid", fault=fault.error, claim=str(getattr(fault, "claim", "")))
            raise SignInInvalid(fault.error) from None
        except (ValueError, TypeError):
            raise SignInInvalid("malformed_id_token") from None
        return dict(claims)

    def _decoded(self, app: AppCredentials, id_token: object) -> jwt.Token:
        """Decode an ID token and check its signature. Raises SignInInvalid, JoseError, ValueError."""
        if not isinstance(id_token, str):
            raise SignInInvalid("no_id_token")
        try:
            return jwt.decode(id_token, self._key_set(app), registry=_REGISTRY)
        except InvalidKeyIdError:
            return jwt.decode(id_token, self._key_set(app, again=True), registry=_REGISTRY)

    def _key_set(self, app: AppCredentials, *, again: bool = False) -> KeySet:
        """Return Slack's public keys. Raises SlackDown."""
        url = urljoin(app.api_url, "../openid/connect/keys")
        with self._lock:
            known = self._keys.get(url)
        if known is None or again:
            reply = self._pool.get(url)
            try:
                if reply.status != 200:
                    raise ValueError
                known = KeySet.import_key_set(_parsed(reply.body))
            except (ValueError, KeyError, TypeError, JoseError):
                raise SlackDown(f"Slack's keys cannot be read (status {reply.status}).") from None
            with self._lock:
                self._keys[url] = known
        return known

    def _client(self, app: AppCredentials, secret: str = "") -> OAuth2Client:
        return OAuth2Client(_PooledSession(self._pool), client_id=app.client_id, client_secret=secret)


@dataclass(frozen=True)
class _PooledSession:
    """Send the requests of Authlib's client through the pool. Authlib itself would need another HTTP library."""

    pool: Pool = field(repr=False)

    def post(self, url: str, data: dict[str, str], headers: dict[str, str], auth: Any) -> "_Response":
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _Response(self.pool.post(url, body.encode(), headers))


@dataclass(frozen=True)
class _Response:
    """A reply in the shape that Authlib's client reads."""

    reply: Reply = field(repr=False)

    @property
    def status_code(self) -> int:
        return self.reply.status

    def json(self) -> Any:
        return _parsed(self.reply.body)

    def raise_for_status(self) -> None:
        """Raise SlackDown for an error status."""
        if self.reply.status >= 400:
            raise SlackDown(f"Slack answered with status {self.reply.status}.")


def _parsed(body: str) -> Any:
    """Parse JSON. Raises ValueError, for JSON that is nested too deeply as well."""
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None


def _person(claims: dict[str, Any]) -> SlackPerson:
    """Return the person that the claims describe. Raises SignInInvalid without the ids of team and user."""
    team_id, user_id = claims.get(_TEAM_ID), claims.get(_USER_ID)
    if not all(isinstance(one, str) and _SLACK_ID.match(one) for one in (team_id, user_id)):
        raise SignInInvalid("no_slack_ids")
    name = "".join(filter(str.isprintable, str(claims.get("name") or claims.get("email") or "")))
    return SlackPerson(str(team_id), str(user_id), name[:_MAX_NAME_LENGTH])
