"""`setup` brings a deployment to life; `sweep` does what is due."""

import click

from onboarding.cli.shell import json_option, opened, say
from onboarding.errors import Problem
from onboarding.jobs.sweep import once
from onboarding.runtime import Runtime

PRACTICE_INTEGRATION = "slack-practice"
PRACTICE_NAME = "Northwind"


@click.command()
@json_option
def setup(as_json: bool) -> None:
    """Bring the database to the newest migration and make the first environment. Safe to repeat."""
    with opened() as runtime:
        name = set_up(runtime)
    say(as_json, {"environment": name}, lambda: f"Ready: environment {name}.")


@click.command()
@json_option
def sweep(as_json: bool) -> None:
    """Give back grants that waited too long, and remove what nobody needs any more. Web processes do so, too."""
    with opened() as runtime:
        steps = once(runtime)
    done = [f"{one.words}: {one.count}." for one in steps if one.fault is None]
    say(as_json, {one.name: one.count for one in steps}, lambda: "\n".join(done))
    reasons: dict[str, list[str]] = {}
    for one in steps:
        if one.fault is not None:
            reasons.setdefault(_reason(one.fault), []).append(one.words)
    if reasons:
        raise click.ClickException(" ".join(f"{', '.join(words)}: {reason}" for reason, words in reasons.items()))


def set_up(runtime: Runtime) -> str:
    """The environment's name."""
    made = runtime.environments.set_up()
    if runtime.integrations.is_practice_on() and not runtime.integrations.all_of(made.id):
        runtime.integrations.add_practice(PRACTICE_INTEGRATION, PRACTICE_NAME, made.name)
    return made.name


def _reason(fault: Exception) -> str:
    """A message that is not ours may quote what must not be told."""
    return fault.sentence if isinstance(fault, Problem) else f"failed ({type(fault).__name__})."
