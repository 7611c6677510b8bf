"""`link create`, `link list` and `link revoke`."""

from dataclasses import replace
from typing import TypedDict, Unpack

import click

from onboarding.characters import trim
from onboarding.cli.shell import (
    environment_option,
    json_option,
    open_runtime,
    parse_lifetime,
    print_result,
    shell_actor,
)
from onboarding.cli.usage import Group
from onboarding.documents import timestamp
from onboarding.errors import NotFound, Refused
from onboarding.identity import OfferedContext
from onboarding.services.links.records import LinkSummary, NewLink

group = Group("link", help="Links with which customers connect their workspaces.")


class _LinkOptions(TypedDict):
    integration: str
    subscriber: str | None
    contexts: tuple[str, ...]
    offered: tuple[str, ...]
    labels: tuple[str, ...]
    mode: str | None
    workspace: str | None
    return_url: str | None
    refresh_url: str | None
    reference: str | None
    expires_in: str | None
    is_open: bool


@group.command()
@click.option("--integration", required=True, metavar="IDENTIFIER", help="The Slack app.")
@click.option("--subscriber", help="The customer, by the id that your product uses.")
@click.option(
    "--context", "contexts", multiple=True, metavar="TYPE=ID", help="A context of the customer; may be repeated."
)
@click.option(
    "--offer-context",
    "offered",
    multiple=True,
    metavar="TYPE=ID",
    help="A context that the person can choose; may be repeated.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    help="The name that people read for an offered context: one for each, in the same order, or none.",
)
@click.option(
    "--mode",
    type=click.Choice(["subscriber", "shared"]),
    help="Fixes the mode. Default: the person chooses if both are possible.",
)
@click.option("--workspace", metavar="T…", help="The id of the expected workspace.")
@click.option("--return-url", metavar="URL", help="The address that the last page links to, on an allowed origin.")
@click.option(
    "--refresh-url", metavar="URL", help="The address at which the person gets a new link, on an allowed origin."
)
@click.option("--reference", help="Your own text, which is returned with the link and to --return-url.")
@click.option("--expires-in", metavar="30m|7d", help="Default: 7d; 24h with --open.")
@click.option("--open", "is_open", is_flag=True, help="Let the holder choose the customer: once, within 24 hours.")
@environment_option
@json_option
def create(environment: str, as_json: bool, **options: Unpack[_LinkOptions]) -> None:
    """Create a link for one customer and print its address."""
    with open_runtime() as runtime:
        created = runtime.links.create(_new_link(environment, options), shell_actor())
    members: dict[str, object] = {"id": created.id, "token": created.token, "url": created.url}
    members["expiresAt"] = timestamp(created.expires_at)
    if created.reference is not None:
        members["reference"] = created.reference
    print_result(as_json, members, lambda: created.url)


@group.command("list")
@environment_option
@json_option
def list_(environment: str, as_json: bool) -> None:
    """List the newest 100 links: id, customer, state and expiry. Links of API callers are left out."""
    with open_runtime() as runtime:
        found = runtime.links.newest(runtime.environments.named(environment).id)
    print_result(
        as_json, {"data": [_members(one) for one in found]}, lambda: list(map(_line, found)) or "No links yet."
    )


@group.command()
@click.argument("link_id")
@json_option
def revoke(link_id: str, as_json: bool) -> None:
    """Make the link LINK_ID unusable. Connections created with it stay."""
    with open_runtime() as runtime:
        if not runtime.links.revoke(link_id, shell_actor()):
            raise NotFound(kind="Usable link", name=link_id)
    print_result(as_json, {"id": link_id, "revoked": True}, lambda: f"Revoked {link_id}.")


def _members(one: LinkSummary) -> dict[str, object]:
    return {
        "id": one.id,
        "integrationIdentifier": one.integration_identifier,
        "kind": one.kind,
        "state": one.state,
        "subscriberId": one.subscriber_id,
        "contextKeys": list(one.context_keys),
        "offeredContextKeys": [offered.key for offered in one.offered_contexts],
        "createdAt": timestamp(one.created_at),
        "expiresAt": timestamp(one.expires_at),
    }


def _line(one: LinkSummary) -> str:
    contexts = ",".join((*one.context_keys, *(offered.key for offered in one.offered_contexts)))
    customer = "anyone" if one.kind == "open" else f"{one.subscriber_id or '-'}  {contexts or '-'}"
    return f"{one.id}  {one.integration_identifier}  {customer}  {one.state}  {timestamp(one.expires_at)}"


def _new_link(environment: str, options: _LinkOptions) -> NewLink:
    """Build the link from the options. Raises Refused."""
    expires_in = options["expires_in"]
    return NewLink(
        integration=options["integration"],
        environment=environment,
        subscriber_id=options["subscriber"],
        context_keys=tuple(map(_key, options["contexts"])),
        offered_contexts=_offered(options["offered"], options["labels"]),
        mode=options["mode"],
        workspace_id=options["workspace"],
        return_url=options["return_url"],
        refresh_url=options["refresh_url"],
        reference=options["reference"],
        lifetime=None if expires_in is None else parse_lifetime(expires_in),
        is_open=options["is_open"],
    )


def _key(text: str) -> str:
    """Turn `TYPE=ID` into a context key. Raises Refused."""
    kind, sign, name = text.partition("=")
    if not sign:
        raise Refused(f"{text!r} is not a context: write TYPE=ID.")
    return f"{kind}:{name}"


def _offered(contexts: tuple[str, ...], labels: tuple[str, ...]) -> tuple[OfferedContext, ...]:
    """Return the contexts that are offered, each with its label. An empty label shows the id. Raises Refused."""
    if labels and len(labels) != len(contexts):
        raise Refused("Give each --offer-context a --label, in the same order, or none of them.")
    offered = (OfferedContext.of_key(_key(one)) for one in contexts)
    named = labels or [""] * len(contexts)
    return tuple(replace(one, label=trim(label) or None) for one, label in zip(offered, named, strict=True))
