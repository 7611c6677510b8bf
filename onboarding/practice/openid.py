"""Sign in with Slack: the OpenID Connect page, the token method and the keys.

See https://docs.slack.dev/authentication/sign-in-with-slack. The menu of the page can make a token invalid in each way
that an app has to notice.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from onboarding.practice.api_call import Answer, ApiCall
from onboarding.practice.errors import Refused
from onboarding.practice.ledger import Token, new_token
from onboarding.practice.openid_codes import OpenIdCode
from onboarding.practice.registration import PracticeApp
from onboarding.practice.workspaces import Workspace

CODE_SECONDS = 600
ID_TOKEN_SECONDS = 300
#: The choices of the page, by name.
SCENARIOS = {
    "normal": "Sign in",
    "without_email": "Slack sends no email address and no name",
    "other_nonce": "The answer belongs to another request",
    "other_audience": "The answer is for another app",
    "other_issuer": "The answer comes from somebody else",
    "expired": "The answer has expired",
    "forged": "The answer is signed with another key",
    "without_ids": "The answer names no team and no person",
}


def keys() -> dict[str, Any]:
    """Return the public keys, as `/openid/connect/keys` does."""
    public = _key().as_dict(private=False)
    return {"keys": [{**public, "use": "sig", "alg": "RS256"}]}


def openid_connect_token(call: ApiCall) -> Answer:
    app = call.client()
    if call.params.get("grant_type", "authorization_code") != "authorization_code":
        raise Refused("invalid_grant_type")
    code = call.slack.openid_codes.spend(call.params.get("code", ""))
    if code is None or code.client_id != app.client_id or code.expires_at <= call.slack.now():
        raise Refused("invalid_code")
    if call.params.get("redirect_uri") != code.redirect_uri:
        raise Refused("bad_redirect_uri")
    token = new_token("user", rotates=False)
    workspace_id, person = code.workspace.id, code.workspace.person.id
    with call.slack.changing() as ledger:
        ledger.tokens[token] = Token(
            token, app.client_id, workspace_id, "user", person, list(code.scopes), call.slack.now()
        )
    id_token = _signed(_claims(call, app, code, token), code.scenario)
    return {"access_token": token, "token_type": "Bearer", "id_token": id_token}


def openid_connect_user_info(call: ApiCall) -> Answer:
    token = call.token("openid")
    workspace = call.slack.workspaces[token.workspace_id]
    return {**_about(workspace, token.scopes), "https://slack.com/team_name": workspace.name}


def _claims(call: ApiCall, app: PracticeApp, code: OpenIdCode, token: str) -> dict[str, Any]:
    now = int(call.slack.now())
    digest = hashlib.sha256(token.encode()).digest()[:16]
    claims = {
        "iss": call.slack.issuer or call.root.rstrip("/"),
        "aud": app.client_id,
        "iat": now,
        "exp": now + ID_TOKEN_SECONDS,
        "auth_time": now,
        # Slack's token has an empty nonce if the app sent none.
        "nonce": code.nonce,
        "at_hash": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        **_about(code.workspace, code.scopes if code.scenario != "without_email" else ("openid",)),
    }
    return _CHANGES.get(code.scenario, dict)(claims)


def _about(workspace: Workspace, scopes: tuple[str, ...] | list[str]) -> dict[str, Any]:
    person = workspace.person
    about: dict[str, Any] = {
        "sub": person.id,
        "https://slack.com/team_id": workspace.id,
        "https://slack.com/user_id": person.id,
    }
    if "email" in scopes:
        about |= {"email": person.email, "email_verified": True}
    if "profile" in scopes:
        given, _, family = person.name.partition(" ")
        about |= {"name": person.name, "given_name": given, "family_name": family, "locale": "en-US"}
    return about


_CHANGES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "other_nonce": lambda claims: claims | {"nonce": secrets.token_urlsafe(32)},
    "other_audience": lambda claims: claims | {"aud": "1111.2222"},
    "other_issuer": lambda claims: claims | {"iss": "https://slack.example"},
    "expired": lambda claims: claims | {"iat": claims["iat"] - 3600, "exp": claims["iat"] - 3300},
    "without_ids": lambda claims: {name: value for name, value in claims.items() if "slack.com" not in name},
}


def _signed(claims: dict[str, Any], scenario: str) -> str:
    key = _key()
    header = {"alg": "RS256", "typ": "JWT", "kid": key.kid}
    if scenario == "forged":
        key = RSAKey.generate_key(2048)
    return jwt.encode(header, claims, key)


@cache
def _key() -> RSAKey:
    """Return the key of this process, created when it is first needed."""
    return RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(8)})
