"""The REST API: JSON under /v1 and /v2, with an API key."""

from flask import Flask

from onboarding.api import (
    authentication,
    channel_connections,
    channel_endpoints,
    connect_sessions,
    contexts,
    cross_origin,
    install_urls,
    integrations,
    openapi,
    operations,
    problems,
    rate_limit,
    subscribers,
    webhooks,
)

#: Importing them registers their operations.
RESOURCES = (
    connect_sessions,
    install_urls,
    channel_connections,
    channel_endpoints,
    contexts,
    integrations,
    subscribers,
    webhooks,
)


def register(app: Flask, limit_per_second: int, storage: str) -> None:
    problems.register(app)
    authentication.register(app)
    rate_limit.register(app, limit_per_second, storage)
    cross_origin.register(app)
    app.register_blueprint(operations.blueprint)
    app.register_blueprint(openapi.blueprint)
