"""`integration add`: store a Slack app's credentials."""

import sys

import click

from onboarding.cli.shell import environment_option, json_option, opened, say
from onboarding.errors import Refused
from onboarding.services.integrations import DEFAULT_SCOPES

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
            runtime.integrations.add_practice(identifier, name or "Northwind", environment, workspace_policy)
        else:
            if not client_id or not client_secret:
                raise Refused("--client-id and --client-secret are needed (or --practice).")
            runtime.integrations.add(
                identifier=identifier,
                client_id=client_id,
                client_secret=_secret(client_secret),
                signing_secret=None if signing_secret is None else _secret(signing_secret),
                scopes=tuple(filter(None, (one.strip() for one in scopes.split(",")))),
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


def _secret(given: str) -> str:
    return sys.stdin.readline().strip() if given == "-" else given
