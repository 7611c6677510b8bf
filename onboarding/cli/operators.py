"""`operator add`, `list`, `remove`, and the Slack teams of viewers: the users of the console."""

import click

from onboarding.cli.shell import json_option, open_runtime, print_result, shell_actor
from onboarding.cli.usage import Group
from onboarding.documents import timestamp
from onboarding.errors import Refused
from onboarding.runtime import Runtime
from onboarding.services.operators import OperatorSummary

group = Group("operator", help="People who sign in to the console.")


@group.command()
@click.argument("email", required=False)
@click.option("--slack-user", metavar="T…/U…", help="Let this person sign in with Slack, instead of with a link.")
@click.option(
    "--role",
    type=click.Choice(["operator", "viewer"]),
    help="A viewer can change nothing. Default for a new person: operator.",
)
@json_option
def add(email: str | None, slack_user: str | None, role: str | None, as_json: bool) -> None:
    """Let a person sign in.

    With EMAIL, prints a one-time sign-in link. With --slack-user, the person signs in with Slack.
    """
    if (email is None) == (slack_user is None):
        raise click.UsageError("Name an email address, or --slack-user.", click.get_current_context())
    with open_runtime() as runtime:
        runtime.environments.first()
        if slack_user is not None:
            _add_slack_user(runtime, slack_user, role, as_json)
            return
        link = runtime.operators.invite(email or "", shell_actor(), role)
    print_result(as_json, {"url": link.url, "expiresAt": timestamp(link.expires_at)}, lambda: link.url)


@group.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the people who may sign in. From an allowed team: only those who have signed in."""
    with open_runtime() as runtime:
        runtime.environments.first()
        found = runtime.operators.list_all()
    rows = [_members(one) for one in found]
    print_result(as_json, {"data": rows}, lambda: list(map(_line, found)) or "Nobody yet.")


@group.command()
@click.argument("person", metavar="EMAIL|T…/U…")
@json_option
def remove(person: str, as_json: bool) -> None:
    """Remove a person. Sessions and sign-in links end at once."""
    with open_runtime() as runtime:
        runtime.environments.first()
        runtime.operators.remove(person, shell_actor())
    members: dict[str, object] = {"email" if "@" in person else "slackUser": person, "removed": True}
    print_result(as_json, members, lambda: f"Removed {person}.")


@group.command("allow-team")
@click.argument("team_id", metavar="T…")
@json_option
def allow_team(team_id: str, as_json: bool) -> None:
    """Let everyone in a Slack team sign in as a viewer.

    Slack does not say who is a guest, so guests can sign in, too.
    """
    with open_runtime() as runtime:
        runtime.environments.first()
        team = runtime.operators.allow_team(team_id, shell_actor())
    members: dict[str, object] = {"teamId": team, "role": "viewer"}
    print_result(as_json, members, lambda: f"Everyone in {team} can sign in as a viewer.")


@group.command("list-teams")
@json_option
def list_teams(as_json: bool) -> None:
    """List the Slack teams whose members can sign in."""
    with open_runtime() as runtime:
        runtime.environments.first()
        found = runtime.operators.teams()
    rows = [{"teamId": one.team_id, "createdAt": timestamp(one.created_at)} for one in found]
    print_result(as_json, {"data": rows}, lambda: [one.team_id for one in found] or "No teams yet.")


@group.command("remove-team")
@click.argument("team_id", metavar="T…")
@json_option
def remove_team(team_id: str, as_json: bool) -> None:
    """Stop allowing a Slack team.

    Viewers who could sign in only because of it are signed out at once.
    """
    with open_runtime() as runtime:
        runtime.environments.first()
        runtime.operators.remove_team(team_id, shell_actor())
    print_result(as_json, {"teamId": team_id, "removed": True}, lambda: f"Removed {team_id}.")


def _add_slack_user(runtime: Runtime, slack_user: str, role: str | None, as_json: bool) -> None:
    """Add the Slack user to the operators. Raises Refused for an invalid id."""
    try:
        label = runtime.operators.add_slack_user(slack_user, shell_actor(), role)
    except Refused as refusal:
        raise Refused(f"--slack-user: {refusal.sentence}") from None
    hint = "" if runtime.slack_sign_in.is_offered() else " Choose a Slack app: `integration set IDENTIFIER --sign-in`."
    members: dict[str, object] = {"slackUser": label, "url": f"{runtime.settings.origin}/sign-in"}
    print_result(as_json, members, lambda: f"{label} can sign in with Slack at {members['url']}.{hint}")


def _members(one: OperatorSummary) -> dict[str, object]:
    slack_user = f"{one.slack_team_id}/{one.slack_user_id}" if one.slack_user_id else None
    return {
        "email": None if slack_user else one.label,
        "slackUser": slack_user,
        "name": one.slack_name or None,
        "role": one.role,
        "wholeTeam": one.is_team_viewer,
        "lastSignInAt": timestamp(one.last_sign_in_at) if one.last_sign_in_at else None,
    }


def _line(one: OperatorSummary) -> str:
    name = f"  {one.slack_name}" if one.slack_name else ""
    return f"{one.label}{name}  {one.role}{'  whole team' if one.is_team_viewer else ''}"
