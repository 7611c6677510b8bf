"""Serve HTML to customers and operators."""

from flask import Flask

from onboarding.pages import layout, probes
from onboarding.pages.console import attempts, connections, installs, links, operators
from onboarding.pages.customer import callback, connect, home, results, setup


def register(app: Flask) -> None:
    layout.register(app)
    for module in (attempts, callback, connect, connections, home, installs, links, operators, probes, results, setup):
        app.register_blueprint(module.blueprint)
