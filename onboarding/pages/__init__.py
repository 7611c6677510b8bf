"""HTML for customers and operators."""

from flask import Flask

from onboarding.pages import (
    callback,
    connect,
    connections,
    guard,
    headers,
    health,
    home,
    installs,
    layout,
    problems,
    results,
    setup,
    signin,
)


def register(app: Flask) -> None:
    for part in (guard, headers, layout, problems):
        part.register(app)
    for door in (callback, connect, connections, health, home, installs, results, setup, signin):
        app.register_blueprint(door.blueprint)
