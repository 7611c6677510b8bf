"""One Web API call: parameters, token and client credentials. Methods receive it instead of Flask's request."""

from dataclasses import dataclass, field

from flask import Request

from onboarding.practice import grants
from onboarding.practice.errors import Refused
from onboarding.practice.ledger import Installation, Token
from onboarding.practice.registration import PracticeApp
from onboarding.practice.slack_state import PracticeSlack
from onboarding.practice.workspaces import Workspace

#: A method's answer, without `ok`.
Answer = dict[str, object]


@dataclass
class ApiCall:
    slack: PracticeSlack
    params: dict[str, str] = field(repr=False)
    #: Client id and secret of HTTP Basic.
    basic: tuple[str, str] | None = field(repr=False)
    #: The base URL of this practice Slack, with a slash at the end.
    root: str
    #: The scopes of the call's token, for the header `x-oauth-scopes`; set by `token`.
    token_scopes: list[str] | None = None

    def client(self) -> PracticeApp:
        """Return the app that the client id and secret identify, sent with HTTP Basic or in the body."""
        client_id, secret = self.basic or (self.params.get("client_id", ""), self.params.get("client_secret", ""))
        app = self.slack.app(client_id)
        if app is None:
            raise Refused("invalid_client_id")
        if not app.has_secret(secret):
            raise Refused("bad_client_secret")
        return app

    def token(self, *any_of: str) -> Token:
        """Return the call's token. It needs at least one of the scopes in `any_of`. Raises Refused."""
        value = self.params.get("token")
        if not value:
            raise Refused("not_authed")
        with self.slack.reading() as ledger:
            token = grants.find_token(ledger, value, self.slack.now())
            self.token_scopes = list(token.scopes)
        if any_of and not set(any_of) & set(token.scopes):
            raise Refused("missing_scope", needed=",".join(any_of), provided=",".join(token.scopes))
        return token

    def installation(self, token: Token) -> Installation:
        with self.slack.reading() as ledger:
            installation = ledger.installation(token.client_id, token.workspace_id)
        if installation is None:
            raise Refused("account_inactive")
        return installation

    def workspace(self, token: Token) -> Workspace:
        """Return the call's workspace. An organization's token must name one that has the app. Raises Refused."""
        here = self.slack.workspaces[token.workspace_id]
        if not here.is_org:
            return here
        team_id = self.params.get("team_id")
        if not team_id:
            raise Refused("missing_argument", detail="team_id")
        team = self.slack.workspaces.get(team_id)
        if team is None or team.enterprise_id != here.id or team.is_org:
            raise Refused("team_not_found")
        if team_id not in self.installation(token).teams:
            raise Refused("team_access_not_granted")
        return team

    def flag(self, name: str) -> bool:
        return self.params.get(name, "").lower() in ("1", "true")


def read(request: Request, slack: PracticeSlack, root: str) -> ApiCall:
    """Read parameters from the query, a form or JSON. A token in the Authorization header has priority over `token`."""
    params = {**request.args.to_dict(), **request.form.to_dict()}
    # slack_sdk sends the content type JSON with an empty body for a method without parameters; Slack accepts that.
    if request.is_json and request.get_data():
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise Refused("invalid_json")
        params |= {name: _as_text(value) for name, value in body.items() if value is not None}
    basic = None
    if (given := request.authorization) is not None:
        if given.type == "bearer" and given.token:
            params["token"] = given.token
        elif given.type == "basic":
            basic = (given.username or "", given.password or "")
    return ApiCall(slack, params, basic, root)


def _as_text(value: object) -> str:
    return "true" if value is True else "false" if value is False else str(value)
