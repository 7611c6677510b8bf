"""The commands of `onboarding …`."""

from flask import Flask

from onboarding.cli import (
    api_keys,
    attempts,
    connections,
    environments,
    integrations,
    keys,
    links,
    operators,
    practice,
    serve,
    setup,
    web,
)


def register(app: Flask) -> None:
    """Register the commands. Each reads the settings when it runs, so that `--help` always works."""
    for part in (setup.setup, serve.serve, web.web, setup.sweep):
        app.cli.add_command(part)
    for module in (integrations, links, operators, api_keys, keys, environments, practice, connections, attempts):
        app.cli.add_command(module.group)
