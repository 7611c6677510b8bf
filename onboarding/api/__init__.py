"""JSON for programs: /v1 and /v2, behind an API key."""

from flask import Flask

from onboarding.api import (
    addresses,
    channel_connections,
    channel_endpoints,
    contexts,
    documents,
    door,
    integrations,
    keys,
    limits,
    problems,
    subscribers,
)

#: Importing them has put their endpoints behind the door.
FAMILIES = (addresses, channel_connections, channel_endpoints, contexts, integrations, subscribers)


def register(app: Flask, limit_per_second: int, storage: str) -> None:
    problems.register(app)
    keys.register(app)
    limits.register(app, limit_per_second, storage)
    app.register_blueprint(door.blueprint)
    app.register_blueprint(documents.blueprint)
