"""`link create` and `link revoke`."""

import click

from onboarding.api.wire import moment
from onboarding.cli.shell import environment_option, json_option, lifetime, opened, say
from onboarding.errors import NotFound, Refused
from onboarding.services.links import NewLink

group = click.Group("link", help="Invitations to connect.")


@group.command()
@click.option("--integration", required=True)
@click.option("--subscriber", help="Fix the subscriber.")
@click.option("--context", "contexts", multiple=True, metavar="TYPE=ID", help="Fix a context; may be repeated.")
@click.option("--offer-context", "offered", multiple=True, metavar="TYPE=ID", help="Offer a context to choose.")
@click.option("--mode", type=click.Choice(["subscriber", "shared"]))
@click.option("--workspace", metavar="T…", help="The workspace that is expected to answer.")
@click.option("--return-url", help="Where the last page leads back to.")
@click.option("--expires-in", metavar="30m|7d", help="Default: 7d; 24h with --open.")
@click.option("--open", "is_open", is_flag=True, help="Leave the choice to the holder: single use, 24 hours.")
@environment_option
@json_option
def create(
    integration: str,
    subscriber: str | None,
    contexts: tuple[str, ...],
    offered: tuple[str, ...],
    mode: str | None,
    workspace: str | None,
    return_url: str | None,
    expires_in: str | None,
    is_open: bool,
    environment: str,
    as_json: bool,
) -> None:
    """Print an address for one customer."""
    with opened() as runtime:
        made = runtime.links.create(
            NewLink(
                integration=integration,
                environment=environment,
                subscriber_id=subscriber,
                context_keys=tuple(map(_key, contexts)),
                offered_context_keys=tuple(map(_key, offered)),
                mode=mode,
                workspace_id=workspace,
                return_url=return_url,
                life=lifetime(expires_in) if expires_in else None,
                is_open=is_open,
            )
        )
    say(as_json, {"id": made.id, "url": made.url, "expiresAt": moment(made.expires_at)}, lambda: made.url)


@group.command()
@click.argument("link_id")
@json_option
def revoke(link_id: str, as_json: bool) -> None:
    """Make the link LINK_ID unusable. Connections made with it stay."""
    with opened() as runtime:
        if not runtime.links.revoke(link_id):
            raise NotFound(f"There is no link {link_id!r} that could still be revoked.")
    say(as_json, {"id": link_id, "revoked": True}, lambda: f"Revoked {link_id}.")


def _key(text: str) -> str:
    kind, sign, name = text.partition("=")
    if not sign:
        raise Refused(f"{text!r} is not a context: write TYPE=ID.")
    return f"{kind}:{name}"
