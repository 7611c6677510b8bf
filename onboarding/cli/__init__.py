"""The commands of `onboarding …`."""

import click

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
    webhooks,
    worker,
)


def register(program: click.Group) -> None:
    """Add the commands to `program`. Each reads the settings when it runs, so that `--help` always works."""
    for part in (setup.setup, serve.serve, web.web, worker.worker, setup.sweep, practice.demo_data):
        program.add_command(part)
    for module in (
        integrations,
        links,
        operators,
        api_keys,
        keys,
        environments,
        practice,
        connections,
        attempts,
        webhooks,
    ):
        program.add_command(module.group)
