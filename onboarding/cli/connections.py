"""`connection list`, `show` and `disconnect`."""

import json
from dataclasses import asdict

import click

from onboarding.cli.shell import json_option, moment, opened, say
from onboarding.services.connections.records import Connection, Search

group = click.Group("connection", help="Channel connections.")


@group.command("list")
@click.option("--after", help="Go on after this cursor.")
@json_option
def list_(after: str | None, as_json: bool) -> None:
    """List connections, newest first, 25 at a time."""
    with opened() as runtime:
        page = runtime.connections.page(runtime.environments.first().id, Search(), after, None)
    members: dict[str, object] = {"data": [_members(row) for row in page.rows], "next": page.next}
    say(as_json, members, lambda: "\n".join(_line(row) for row in page.rows) or "No connections yet.")


@group.command()
@click.argument("identifier")
def show(identifier: str) -> None:
    """Print one connection as JSON, without its token."""
    with opened() as runtime:
        found = runtime.connections.find(runtime.environments.first().id, identifier)
    about = {"token_last_four": found.token_last_four, "token_since": moment(found.token_since), "others": found.others}
    click.echo(json.dumps({**_members(found.connection), **about}, indent=2))


@group.command()
@click.argument("identifier")
@json_option
def disconnect(identifier: str, as_json: bool) -> None:
    """Remove a connection, and the app from its workspace where nothing else uses it."""
    with opened() as runtime:
        result = runtime.ending.disconnect(runtime.environments.first().id, identifier, "shell")
    say(as_json, {"identifier": identifier, "result": result}, lambda: f"{identifier}: {result}.")


def _members(connection: Connection) -> dict[str, object]:
    """All but the token, which no command prints."""
    kept = {name: value for name, value in asdict(connection).items() if name not in ("id", "access_token")}
    return {name: _plain(value) for name, value in kept.items()}


def _plain(value: object) -> object:
    return moment(value) if hasattr(value, "astimezone") else value  # type: ignore[arg-type]  # only times have it


def _line(row: Connection) -> str:
    return f"{row.identifier}  {row.workspace_name or row.workspace_id}  {row.subscriber_id or '-'}  {','.join(row.context_keys)}"
