"""Answer Slack's own requests. Each is signed; no session or API key is involved."""

from flask import Flask

from onboarding.hooks import slack_events


def register(app: Flask) -> None:
    app.register_blueprint(slack_events.blueprint)
