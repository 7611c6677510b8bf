"""Serve the button, the script and the card, which pages of other sites load."""

from flask import Flask

from onboarding.embed import button, card, script
from onboarding.http import languages


def register(app: Flask) -> None:
    for module in (button, card, script):
        app.register_blueprint(module.blueprint)
    languages.offer(app, card.blueprint, reads_cookie=False)
