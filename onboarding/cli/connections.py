"""`connection list`, `show`, `verify` and `disconnect`."""

import json
import sys

import click

from onboarding import documents, texts
from onboarding.cli.shell import environment_option, json_option, open_runtime, print_result, print_text, shell_actor
from onboarding.cli.usage import Group
from onboarding.documents import Connection
from onboarding.outcomes import ConnectionStatus
from onboarding.services.connections.records import ConsoleSearch

#: Slack answered, and the connection does not work. A call that failed exits with 1.
EXIT_NOT_HEALTHY = 3

group = Group("connection", help="Connected workspaces.")


@group.command("list")
@click.option("--after", metavar="CURSOR", help="Continue after the page that printed this cursor.")
@environment_option
@json_option
def list_(after: str | None, environment: str, as_json: bool) -> None:
    """List connections, newest first, 25 at a time."""
    with open_runtime() as runtime:
        page = runtime.connections.page(runtime.environments.named(environment).id, ConsoleSearch(), after, None)
    members: dict[str, object] = {
        "data": [documents.connection(row, with_token=False) for row in page.rows],
        "next": page.next,
    }
    lines = [_line(row) for row in page.rows]
    if page.next:
        lines.append(f"There are more: --after {page.next}")
    print_result(as_json, members, lambda: lines or "No connections yet.")


@group.command()
@click.argument("identifier")
@environment_option
def show(identifier: str, environment: str) -> None:
    """Print one connection as the API shows it, without its token."""
    with open_runtime() as runtime:
        found = runtime.connections.detail(runtime.environments.named(environment).id, identifier)
    beyond = {
        "tokenLastFour": found.token_last_four,
        "tokenSince": documents.timestamp(found.token_since) if found.token_since else None,
        "others": found.others,
    }
    print_text(json.dumps({**documents.connection(found.connection, with_token=False), **beyond}, indent=2))


@group.command()
@click.argument("identifier")
@environment_option
@json_option
def verify(identifier: str, environment: str, as_json: bool) -> None:
    """Ask Slack whether a connection works.

    Exit code 3: Slack answered that it does not work, and the customer has to reconnect.
    """
    with open_runtime() as runtime:
        environment_id = runtime.environments.named(environment).id
        runtime.connections.verify(environment_id, identifier)
        found = runtime.connections.detail(environment_id, identifier).connection
    why = f": {found.status_reason}" if found.status_reason else "."
    print_result(as_json, documents.connection(found, with_token=False), lambda: f"{identifier} is {found.status}{why}")
    if found.status != ConnectionStatus.HEALTHY:
        sys.exit(EXIT_NOT_HEALTHY)


@group.command()
@click.argument("identifier")
@environment_option
@json_option
def disconnect(identifier: str, environment: str, as_json: bool) -> None:
    """Remove a connection.

    The app is also removed from the workspace in Slack, if nothing else uses it there.
    """
    with open_runtime() as runtime:
        environment_id = runtime.environments.named(environment).id
        result = runtime.connections.disconnect(environment_id, identifier, shell_actor())
    print_result(as_json, {"identifier": identifier, "result": result}, lambda: texts.DISCONNECTED[result].sentence)


def _line(row: Connection) -> str:
    workspace, contexts = row.workspace_name or row.workspace_id, ",".join(row.context_keys)
    owner = f"{row.subscriber_id or '-'}  {contexts or '-'}"
    return f"{row.identifier}  {workspace}  {row.integration_identifier}  {owner}  {row.status}"
