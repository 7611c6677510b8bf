"""The operator's shell: what `flask --app app …` offers."""

from flask import Flask

from onboarding.cli import connections, integrations, keys, links, operators, practice, serve, setup


def commands() -> Flask:
    """A Flask app that has the commands alone. Each reads the settings when it runs, so that `--help` always works."""
    app = Flask("onboarding")
    for part in (setup.setup, serve.serve, setup.sweep):
        app.cli.add_command(part)
    for group in (integrations.group, links.group, operators.group, keys.group, practice.group, connections.group):
        app.cli.add_command(group)
    return app
