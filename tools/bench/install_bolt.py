"""bolt-python's OAuthFlow as its documentation shows it: the Flask adapter, and slack_sdk's stores on SQLAlchemy."""

import os
from collections.abc import Mapping

from flask import Flask, Response, request
from slack_bolt import App
from slack_bolt.adapter.flask import SlackRequestHandler
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore
from sqlalchemy import Engine, create_engine

from tools.bench.load import CALLBACK

START = "/slack/install"
_CLIENT_ID = "77.88"


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    """Create the app from SLACK_URL, the Slack stand-in's address, PORT, and the settings of every contestant."""
    installations, states = _stores(create_engine(environ["DATABASE_URL"]))
    settings = OAuthSettings(
        client_id=_CLIENT_ID,
        client_secret="a secret of some thirty letters.",  # noqa: S106  # the stand-in accepts any
        scopes=["chat:write"],
        redirect_uri=f"http://127.0.0.1:{environ['PORT']}{CALLBACK}",
        # The start redirects to Slack, as ours does.
        install_page_rendering_enabled=False,
        installation_store=installations,
        state_store=states,
    )
    flow = OAuthFlow(client=WebClient(base_url=f"{environ['SLACK_URL']}/api/"), settings=settings)
    handler = SlackRequestHandler(App(signing_secret=environ["SECRET_KEY"], oauth_flow=flow))
    app = Flask(__name__)

    @app.get(START)
    @app.get(CALLBACK)
    def answer() -> Response:
        return handler.handle(request)

    return app


def set_up(environ: Mapping[str, str]) -> None:
    """Create the tables."""
    engine = create_engine(environ["DATABASE_URL"])
    for store in _stores(engine):
        store.metadata.create_all(engine)
    engine.dispose()


def _stores(engine: Engine) -> tuple[SQLAlchemyInstallationStore, SQLAlchemyOAuthStateStore]:
    return SQLAlchemyInstallationStore(_CLIENT_ID, engine), SQLAlchemyOAuthStateStore(600, engine)
