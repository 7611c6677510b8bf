"""`integration add`, `list`, `set` and `remove`: Slack apps and their credentials."""

import sys

import click

from onboarding import settings
from onboarding.cli.shell import environment_option, json_option, opened, say
from onboarding.errors import Refused
from onboarding.runtime import check_keys
from onboarding.services.integrations import DEFAULT_SCOPES, Change

group = click.Group("integration", help="Slack apps.")


@group.command()
@click.argument("identifier")
@click.option("--client-id", help="Basic Information > App Credentials.")
@click.option("--client-secret", help="`-` reads it from standard input.")
@click.option("--signing-secret", help="`-` reads it from standard input, after the client secret.")
@click.option("--scopes", default=",".join(DEFAULT_SCOPES), show_default=True, help="Bot scopes, comma separated.")
@click.option("--name", help="What people see. Default: the identifier.")
@click.option("--workspace-policy", type=click.Choice(["allow", "refuse"]), default="allow", show_default=True)
@click.option("--practice", is_flag=True, help="A practice integration, with credentials of its own making.")
@environment_option
@json_option
def add(
    identifier: str,
    client_id: str | None,
    client_secret: str | None,
    signing_secret: str | None,
    scopes: str,
    name: str | None,
    workspace_policy: str,
    practice: bool,
    environment: str,
    as_json: bool,
) -> None:
    """Store a Slack app under IDENTIFIER."""
    with opened() as runtime:
        runtime.environments.first()
        if practice:
            runtime.integrations.add_practice(
                identifier, name or "Northwind", environment, workspace_policy, _scopes(scopes)
            )
        else:
            if not client_id or not client_secret:
                raise Refused("--client-id and --client-secret are needed (or --practice).")
            check_keys(runtime, settings.keys_are_given(), is_real=True)
            runtime.integrations.add(
                identifier=identifier,
                client_id=client_id,
                client_secret=_secret(client_secret),
                signing_secret=None if signing_secret is None else _secret(signing_secret),
                scopes=_scopes(scopes),
                name=name or identifier,
                environment=environment,
                workspace_policy=workspace_policy,
            )
        redirect = runtime.settings.redirect_uri
        members: dict[str, object] = {
            "identifier": identifier,
            "redirectUrl": redirect,
            "eventsUrl": f"{runtime.settings.origin}/slack/events",
        }
    then = "The practice Slack knows it." if practice else f"Register this redirect URL in the Slack app: {redirect}"
    say(as_json, members, lambda: f"Stored {identifier}. {then}")


@group.command("list")
@environment_option
@json_option
def list_(environment: str, as_json: bool) -> None:
    """List the Slack apps of an environment, without their secrets."""
    with opened() as runtime:
        found = runtime.integrations.details(runtime.environments.named(environment).id)
    rows = [
        {
            "identifier": one.identifier,
            "name": one.name,
            "clientId": one.client_id,
            "scopes": one.scopes,
            "workspacePolicy": one.workspace_policy,
            "practice": one.is_practice,
        }
        for one in found
    ]
    lines = [f"{one.identifier}  {one.name}  {one.client_id}  {','.join(one.scopes)}" for one in found]
    say(as_json, {"data": rows}, lambda: "\n".join(lines) or "No integrations yet.")


@group.command("set")
@click.argument("identifier")
@click.option("--client-secret", help="`-` reads it from standard input.")
@click.option("--signing-secret", help="`-` reads it from standard input, after the client secret.")
@click.option("--scopes", help="Bot scopes, comma separated.")
@click.option("--name", help="What people see.")
@click.option("--workspace-policy", type=click.Choice(["allow", "refuse"]))
@environment_option
@json_option
def set_(
    identifier: str,
    client_secret: str | None,
    signing_secret: str | None,
    scopes: str | None,
    name: str | None,
    workspace_policy: str | None,
    environment: str,
    as_json: bool,
) -> None:
    """Change what is named of the Slack app IDENTIFIER. Its connections stay."""
    change = Change(
        client_secret=None if client_secret is None else _secret(client_secret),
        signing_secret=None if signing_secret is None else _secret(signing_secret),
        scopes=None if scopes is None else _scopes(scopes),
        name=name,
        workspace_policy=workspace_policy,
    )
    with opened() as runtime:
        if change == Change():
            raise Refused(
                "Name what to change: --client-secret, --signing-secret, --scopes, --name, --workspace-policy."
            )
        runtime.integrations.change(runtime.environments.named(environment).id, identifier, change)
    say(as_json, {"identifier": identifier, "changed": True}, lambda: f"Changed {identifier}.")


@group.command()
@click.argument("identifier")
@environment_option
@json_option
def remove(identifier: str, environment: str, as_json: bool) -> None:
    """Remove a Slack app that has no connections, with its links and attempts."""
    with opened() as runtime:
        runtime.integrations.remove(runtime.environments.named(environment).id, identifier)
    say(as_json, {"identifier": identifier, "removed": True}, lambda: f"Removed {identifier}.")


def _scopes(given: str) -> tuple[str, ...]:
    return tuple(filter(None, (one.strip() for one in given.split(","))))


def _secret(given: str) -> str:
    return sys.stdin.readline().strip() if given == "-" else given
