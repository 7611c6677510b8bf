"""The operator's shell: what `flask --app app …` offers."""

from flask import Flask

from onboarding.cli import connections, integrations, keys, links, operators, practice, serve, setup


def register(app: Flask) -> None:
    """Each command reads the settings when it runs, so that `--help` always works."""
    for part in (setup.setup, serve.serve, setup.sweep):
        app.cli.add_command(part)
    for group in (integrations.group, links.group, operators.group, keys.group, practice.group, connections.group):
        app.cli.add_command(group)
