"""`integration add`, `list`, `set` and `remove`: Slack apps and their credentials."""

from typing import Unpack

import click

from onboarding.cli.integration_lines import events_line, line_of, members_of, previous_secrets
from onboarding.cli.integration_options import (
    CLIENT_SECRET,
    SIGNING_SECRET,
    ChangeOptions,
    NewOptions,
    logo_content,
    new_integration,
    optional_secret,
)
from onboarding.cli.shell import (
    environment_option,
    json_option,
    open_runtime,
    print_result,
    problems_in_one_line,
    shell_actor,
    split_list,
)
from onboarding.cli.usage import Group
from onboarding.documents import timestamp
from onboarding.services.integrations.records import DEFAULT_SCOPES, IntegrationChange

group = Group("integration", help="Slack apps.")


@group.command()
@click.argument("identifier")
@click.option("--client-id", help="Slack shows it under Basic Information > App Credentials.")
@click.option("--client-secret", help="With `-`, the command asks for it, or reads a line of standard input.")
@click.option("--signing-secret", help="With `-`, the command asks for it, or reads the next line of standard input.")
@click.option(
    "--scopes",
    default=",".join(DEFAULT_SCOPES),
    show_default=True,
    help="The permissions to ask customers for, separated by commas.",
)
@click.option("--name", help="The name of your product, which customers read. Default: the identifier.")
@click.option(
    "--workspace-policy",
    type=click.Choice(["allow", "refuse"]),
    default="allow",
    show_default=True,
    help="Whether several customers can connect the same workspace.",
)
@click.option("--practice", is_flag=True, help="Create a practice integration, with generated credentials.")
@environment_option
@json_option
def add(identifier: str, environment: str, as_json: bool, **options: Unpack[NewOptions]) -> None:
    """Store a Slack app under IDENTIFIER."""
    with open_runtime() as runtime:
        # Reports a database that is not set up before it asks for secrets.
        runtime.environments.first()
        runtime.integrations.add(new_integration(runtime, identifier, environment, options), shell_actor())
        origin, redirect = runtime.settings.origin, runtime.settings.redirect_uri
    members: dict[str, object] = {
        "identifier": identifier,
        "redirectUrl": redirect,
        "eventsUrl": f"{origin}/slack/events",
    }
    register = f"Register this redirect URL in the Slack app: {redirect}"
    lines = [f"Stored {identifier}. {'The practice Slack knows it.' if options['practice'] else register}"]
    if not options["practice"]:
        lines.append(events_line(bool(options["signing_secret"]), f"{origin}/slack/events"))
    print_result(as_json, members, lambda: lines)


@group.command("list")
@environment_option
@json_option
def list_(environment: str, as_json: bool) -> None:
    """List the Slack apps of an environment, without their secrets."""
    with open_runtime() as runtime:
        environment_id = runtime.environments.named(environment).id
        found = runtime.integrations.all_of(environment_id)
        allowed = runtime.integrations.allowed_origins(environment_id)
    lines = [line_of(one, allowed.get(one.identifier, ())) for one in found]
    data = [members_of(one, allowed.get(one.identifier, ())) for one in found]
    print_result(as_json, {"data": data}, lambda: lines or "No integrations yet.")


@group.command("set")
@click.argument("identifier")
@click.option("--client-secret", help="With `-`, the command asks for it, or reads a line of standard input.")
@click.option("--signing-secret", help="With `-`, the command asks for it, or reads the next line of standard input.")
@click.option("--forget-previous-secrets", is_flag=True, help="Erase the previous secrets now.")
@click.option("--scopes", help="The permissions to ask customers for, separated by commas.")
@click.option("--name", help="The name of your product, which customers read.")
@click.option(
    "--workspace-policy",
    type=click.Choice(["allow", "refuse"]),
    help="Whether several customers can connect the same workspace.",
)
@click.option(
    "--add-origin", "add_origins", multiple=True, metavar="ORIGIN", help="Allow a site of yours; may be repeated."
)
@click.option(
    "--remove-origin", "remove_origins", multiple=True, metavar="ORIGIN", help="Stop allowing a site; may be repeated."
)
@click.option("--sign-in/--no-sign-in", default=None, help="Whether operators sign in with this Slack app.")
@click.option("--logo", metavar="FILE", help="A PNG or JPEG picture of at most 100 kB for customers' pages.")
@click.option(
    "--accent-color", metavar="COLOR", help="The color of buttons and links on customers' pages, such as #3f4fd0."
)
@click.option("--support-url", metavar="URL", help="The address where customers get help.")
@click.option("--privacy-url", metavar="URL", help="The address of your privacy policy.")
@click.option("--forward-events", metavar="URL", help="An address that gets Slack's events as well.")
@environment_option
@json_option
def set_(identifier: str, environment: str, as_json: bool, **options: Unpack[ChangeOptions]) -> None:
    """Change the Slack app IDENTIFIER. Its connections stay as they are.

    An empty value removes a logo, a color or a URL.
    """
    scopes = options["scopes"]
    with problems_in_one_line():
        logo = logo_content(options["logo"])
    change = IntegrationChange(
        client_secret=optional_secret(options["client_secret"], CLIENT_SECRET),
        signing_secret=optional_secret(options["signing_secret"], SIGNING_SECRET),
        scopes=None if scopes is None else split_list(scopes),
        name=options["name"],
        workspace_policy=options["workspace_policy"],
        add_origins=options["add_origins"] or None,
        remove_origins=options["remove_origins"] or None,
        sign_in=options["sign_in"],
        accent_color=options["accent_color"],
        support_url=options["support_url"],
        privacy_url=options["privacy_url"],
        forward_events=options["forward_events"],
        forget_previous_secrets=options["forget_previous_secrets"],
        logo=logo,
        remove_logo=options["logo"] == "",
    )
    if change == IntegrationChange():
        sentence = "Name at least one option to change."
        raise click.UsageError(sentence, click.get_current_context())
    with open_runtime() as runtime:
        environment_id = runtime.environments.named(environment).id
        runtime.integrations.change(environment_id, identifier, change, shell_actor())
        one = runtime.integrations.find(environment_id, identifier)
        redirect, events_url = runtime.settings.sign_in_redirect_uri, f"{runtime.settings.origin}/slack/events"
    lines = [f"Changed {identifier}."]
    members: dict[str, object] = {
        "identifier": identifier,
        "changed": True,
        "hasSigningSecret": one.has_signing_secret,
        **previous_secrets(one),
    }
    if options["sign_in"]:
        members["signInRedirectUrl"] = redirect
        lines = [f"Changed {identifier}. Register this redirect URL in the Slack app: {redirect}"]
    if change.client_secret and one.previous_client_secret_until:
        until = timestamp(one.previous_client_secret_until)
        lines.append(f"The previous client secret is also tried until {until}. --forget-previous-secrets ends that.")
    if change.forward_events:
        lines.append(f"Each event of Slack is also delivered to {one.forward_url}.")
    if not one.has_signing_secret or change.signing_secret:
        lines.append(events_line(one.has_signing_secret, events_url))
    print_result(as_json, members, lambda: lines)


@group.command()
@click.argument("identifier")
@environment_option
@json_option
def remove(identifier: str, environment: str, as_json: bool) -> None:
    """Remove a Slack app that has no connections.

    Its links and attempts are deleted with it.
    """
    with open_runtime() as runtime:
        runtime.integrations.remove(runtime.environments.named(environment).id, identifier, shell_actor())
    print_result(as_json, {"identifier": identifier, "removed": True}, lambda: f"Removed {identifier}.")
