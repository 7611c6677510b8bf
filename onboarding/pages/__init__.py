"""Serve HTML to customers and operators."""

from flask import Flask

from onboarding.http import languages
from onboarding.pages import layout, probes
from onboarding.pages.console import (
    api_keys,
    attempts,
    audit,
    bulk,
    connections,
    exports,
    installs,
    integrations,
    links,
    messages,
    operators,
    playground,
    slack_apps,
    slack_sign_in,
    webhook_deliveries,
    webhooks,
)
from onboarding.pages.customer import branding, callback, connect, home, manage, results, setup, slack_errors

_CUSTOMER = (branding, callback, connect, home, manage, results, setup, slack_errors)
_CONSOLE = (
    api_keys,
    attempts,
    audit,
    bulk,
    connections,
    exports,
    installs,
    integrations,
    links,
    messages,
    operators,
    playground,
    slack_apps,
    slack_sign_in,
    webhook_deliveries,
    webhooks,
)


def register(app: Flask) -> None:
    layout.register(app)
    for module in (probes, *_CUSTOMER, *_CONSOLE):
        app.register_blueprint(module.blueprint)
    for module in _CUSTOMER:
        languages.offer(app, module.blueprint)
