"""One Web API call as it was sent: parameters, token, credentials. What the methods are given instead of a request."""

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
    #: Where this Slack is reached, with a slash at the end.
    root: str
    #: The scopes of the token that was shown, for the header `x-oauth-scopes`; filled by `holder`.
    token_scopes: list[str] | None = None

    def client(self) -> PracticeApp:
        """The app whose id and secret were sent, in HTTP Basic or in the body."""
        client_id, secret = self.basic or (self.params.get("client_id", ""), self.params.get("client_secret", ""))
        app = self.slack.app(client_id)
        if app is None:
            raise Refused("invalid_client_id")
        if not app.has_secret(secret):
            raise Refused("bad_client_secret")
        return app

    def holder(self, *any_of: str) -> Token:
        """The token that was shown; `any_of`: scopes of which it needs one."""
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
            installation = ledger.installation(token.client_id, token.place)
        if installation is None:
            raise Refused("account_inactive")
        return installation

    def workspace(self, token: Token) -> Workspace:
        """The workspace that the call is about. An organisation's token has to name one that it was given."""
        here = self.slack.workspaces[token.place]
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
    """Parameters come in the query, as a form or as JSON; a token in the Authorization header comes before `token`."""
    params = {**request.args.to_dict(), **request.form.to_dict()}
    # slack_sdk says "JSON" and sends nothing when a method has no parameters; Slack does not mind.
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
