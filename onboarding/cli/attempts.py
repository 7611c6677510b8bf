"""`attempt show`: print the history of one install."""

import click

from onboarding import texts
from onboarding.cli.shell import json_option, open_runtime, print_result
from onboarding.cli.usage import Group
from onboarding.documents import timestamp
from onboarding.services.installs.attempts import AttemptReport

group = Group("attempt", help="Installs, from Connect Slack to their outcome.")


@group.command()
@click.argument("reference")
@json_option
def show(reference: str, as_json: bool) -> None:
    """Print the steps, outcome and cause of an install.

    The page that ends the install shows its REFERENCE.
    """
    with open_runtime() as runtime:
        # Reports a database that is not set up, instead of an unknown reference.
        runtime.environments.first()
        found = runtime.attempts.find(reference)
    print_result(as_json, _members(found), lambda: _lines(found))


def _members(one: AttemptReport) -> dict[str, object]:
    return {
        "id": one.id,
        "reference": one.reference,
        "integrationIdentifier": one.integration_identifier,
        "linkId": one.link_id,
        "operator": one.operator,
        "stage": one.stage,
        "outcome": one.outcome,
        "steps": [{"step": step, "at": timestamp(at)} for step, at in one.steps],
        "subscriberId": one.subscriber_id,
        "contextKeys": list(one.context_keys),
        "workspaceId": one.workspace_id,
        "workspaceName": one.workspace_name,
        "connectionIdentifier": one.connection_identifier,
        "missingScopes": list(one.missing_scopes),
        "slackError": one.slack_error,
        "cause": one.cause,
        "grantResult": one.grant_result,
        "approvedBy": one.approved_by,
    }


def _lines(one: AttemptReport) -> list[str]:
    workspace = f"{one.workspace_name or ''} {one.workspace_id or ''}".strip()
    values = {
        "reference": one.reference,
        "Slack app": one.integration_identifier,
        "started by": one.operator or one.link_id,
        "customer": " ".join((one.subscriber_id or "", *one.context_keys)).strip(),
        **{step: timestamp(at) for step, at in one.steps},
        "outcome": one.outcome or f"none yet ({one.stage})",
        "in words": texts.OUTCOMES[one.outcome].sentence if one.outcome else None,
        "workspace": workspace,
        "connection": one.connection_identifier,
        "not granted": ", ".join(one.missing_scopes),
        "Slack's error": one.slack_error if one.slack_error != one.cause else None,
        "cause": one.cause,
        "unused grant": one.grant_result,
        "approved by": one.approved_by,
    }
    return [f"{name}: {value}" for name, value in values.items() if value]
