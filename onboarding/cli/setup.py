"""`setup` prepares a deployment; `sweep` does the worker's maintenance once."""

import click

from onboarding.characters import escape
from onboarding.cli.durable import durable_work
from onboarding.cli.shell import json_option, open_runtime, print_result, shell_actor
from onboarding.cli.usage import Command
from onboarding.errors import Problem
from onboarding.jobs.sweep import run_steps
from onboarding.runtime import Runtime
from onboarding.services.integrations.records import NewIntegration

PRACTICE_INTEGRATION = "slack-practice"
PRACTICE_NAME = "Northwind"


@click.command(cls=Command)
@json_option
def setup(as_json: bool) -> None:
    """Migrate the database and create the first environment. Safe to repeat."""
    with open_runtime() as runtime:
        name = set_up(runtime)
    print_result(as_json, {"environment": name}, lambda: f"Ready: environment {name}.")


@click.command(cls=Command)
@json_option
def sweep(as_json: bool) -> None:
    """Revoke the access of unfinished installs, and delete expired data. The worker does it twice a minute."""
    with open_runtime() as runtime:
        steps = run_steps(runtime)
    done = [f"{one.label}: {one.count}." for one in steps if one.fault is None]
    print_result(as_json, {one.name: one.count for one in steps}, lambda: done)
    reasons: dict[str, list[str]] = {}
    for one in steps:
        if one.fault is not None:
            reasons.setdefault(_reason(one.fault), []).append(one.label)
    if reasons:
        raise click.ClickException(
            escape(" ".join(f"{', '.join(labels)}: {reason}" for reason, labels in reasons.items()))
        )


def set_up(runtime: Runtime) -> str:
    """Migrate the database, create the first environment and, in practice mode, its integration.

    Return the environment's name.
    """
    actor = shell_actor()
    environment = runtime.environments.set_up(actor)
    durable_work().set_up(runtime)
    if runtime.practice.is_on() and not runtime.integrations.all_of(environment.id):
        new = NewIntegration.for_practice(PRACTICE_INTEGRATION, PRACTICE_NAME, environment.name)
        runtime.integrations.add(new, actor)
    return environment.name


def _reason(fault: Exception) -> str:
    """Return a sentence to print. A foreign exception's message may contain a secret, so only its name is shown."""
    return fault.sentence if isinstance(fault, Problem) else f"failed ({type(fault).__name__})."
