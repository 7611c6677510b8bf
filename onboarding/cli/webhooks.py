"""`webhook …`: the addresses at which a host gets events, and what was delivered there."""

import click

from onboarding.cli.shell import environment_option, json_option, open_runtime, print_result, shell_actor
from onboarding.cli.usage import Group
from onboarding.event_types import EventType
from onboarding.pagination import PageRequest
from onboarding.services.webhooks.records import DeliveryQuery, EndpointChange, NewWebhookEndpoint
from onboarding.webhook_documents import WebhookDelivery, WebhookEndpoint, delivery, endpoint

group = Group("webhook", help="Addresses of your server that get events.")

_ROWS = 25
_event_option = click.option(
    "--event",
    "chosen",
    multiple=True,
    type=click.Choice([one.value for one in EventType]),
    help="Only this event; may be repeated.",
)


@group.command()
@click.argument("url")
@_event_option
@click.option("--description", default="", help="A note for the console.")
@environment_option
@json_option
def add(url: str, chosen: tuple[EventType, ...], description: str, environment: str, as_json: bool) -> None:
    """Send events to URL, and print its secret once.

    Verify the messages with the secret.
    """
    with open_runtime() as runtime:
        environment_id = runtime.environments.named(environment).id
        new = NewWebhookEndpoint(url, tuple(map(str, chosen)), description)
        created = runtime.webhooks.endpoints.create(environment_id, new, shell_actor())
    print_result(as_json, endpoint(created), lambda: [f"Endpoint: {created.id}", f"Secret: {created.secret}"])


@group.command("list")
@environment_option
@json_option
def list_(environment: str, as_json: bool) -> None:
    """List the endpoints, the oldest first."""
    with open_runtime() as runtime:
        found = runtime.webhooks.endpoints.list(runtime.environments.named(environment).id)
    lines = [_endpoint_line(one) for one in found]
    print_result(as_json, {"data": [endpoint(one) for one in found]}, lambda: lines or "No webhook endpoints yet.")


@group.command("set")
@click.argument("endpoint_id")
@click.option("--url", help="The new address.")
@_event_option
@click.option("--all-events", is_flag=True, help="Send all events again.")
@click.option("--description", help="A note for the console.")
@environment_option
@json_option
def set_(
    endpoint_id: str, chosen: tuple[EventType, ...], all_events: bool, environment: str, as_json: bool, **given: str
) -> None:
    """Change an endpoint."""
    if all_events and chosen:
        raise click.UsageError("--event cannot be used with --all-events.")
    chosen_events = tuple(map(str, chosen)) if chosen or all_events else None
    change = EndpointChange(given["url"], chosen_events, given["description"])
    _change(endpoint_id, change, environment, as_json)


@group.command()
@click.argument("endpoint_id")
@environment_option
@json_option
def pause(endpoint_id: str, environment: str, as_json: bool) -> None:
    """Send nothing to an endpoint until it is resumed. Its events are kept and can be replayed."""
    _change(endpoint_id, EndpointChange(is_enabled=False), environment, as_json)


@group.command()
@click.argument("endpoint_id")
@environment_option
@json_option
def resume(endpoint_id: str, environment: str, as_json: bool) -> None:
    """Send new events to a paused endpoint again."""
    _change(endpoint_id, EndpointChange(is_enabled=True), environment, as_json)


@group.command("rotate-secret")
@click.argument("endpoint_id")
@environment_option
@json_option
def rotate_secret(endpoint_id: str, environment: str, as_json: bool) -> None:
    """Print a new secret. For 24 hours, messages are also signed with the previous one."""
    with open_runtime() as runtime:
        environment_id = runtime.environments.named(environment).id
        changed = runtime.webhooks.endpoints.rotate_secret(environment_id, endpoint_id, shell_actor())
    print_result(as_json, endpoint(changed), lambda: f"Secret: {changed.secret}")


@group.command()
@click.argument("endpoint_id")
@environment_option
@json_option
def remove(endpoint_id: str, environment: str, as_json: bool) -> None:
    """Remove an endpoint with its deliveries."""
    with open_runtime() as runtime:
        environment_id = runtime.environments.named(environment).id
        runtime.webhooks.endpoints.remove(environment_id, endpoint_id, shell_actor())
    print_result(as_json, {"id": endpoint_id, "removed": True}, lambda: f"Removed {endpoint_id}.")


@group.command()
@click.argument("endpoint_id")
@environment_option
@json_option
def test(endpoint_id: str, environment: str, as_json: bool) -> None:
    """Send a test event. A worker delivers it; `webhook deliveries` shows the answer."""
    with open_runtime() as runtime:
        environment_id = runtime.environments.named(environment).id
        delivery_id = runtime.webhooks.endpoints.test(environment_id, endpoint_id)
    print_result(as_json, {"id": delivery_id}, lambda: f"Delivery: {delivery_id}")


@group.command()
@click.option("--endpoint", "endpoint_id", help="Only those of this endpoint.")
@click.option(
    "--status", "state", type=click.Choice(["waiting", "delivered", "parked"]), help="Only those with this status."
)
@click.option("--after", help="Continue after the page that printed this cursor.")
@environment_option
@json_option
def deliveries(endpoint_id: str | None, state: str | None, after: str | None, environment: str, as_json: bool) -> None:
    """List deliveries with their answers, 25 at a time."""
    with open_runtime() as runtime:
        environment_id = runtime.environments.named(environment).id
        request = PageRequest(_ROWS, after=after)
        found = runtime.webhooks.deliveries.list(environment_id, request, DeliveryQuery(endpoint_id, state))
    lines = [_delivery_line(one) for one in found.rows] + ([f"More: --after {found.next}"] if found.next else [])
    members: dict[str, object] = {"data": [delivery(one) for one in found.rows], "next": found.next}
    print_result(as_json, members, lambda: lines or "No deliveries.")


@group.command()
@click.argument("delivery_id", required=False)
@click.option("--failed-of", metavar="ENDPOINT_ID", help="All parked deliveries of this endpoint.")
@environment_option
@json_option
def replay(delivery_id: str | None, failed_of: str | None, environment: str, as_json: bool) -> None:
    """Send one message again, or all parked ones.

    A message is parked after nine failed tries, or while its endpoint is paused.
    """
    if (delivery_id is None) == (failed_of is None):
        raise click.UsageError("Name a delivery, or an endpoint with --failed-of.")
    with open_runtime() as runtime:
        environment_id, service = runtime.environments.named(environment).id, runtime.webhooks.deliveries
        if failed_of is not None:
            count = service.replay_parked(environment_id, failed_of, shell_actor())
        else:
            service.replay(environment_id, delivery_id or "", shell_actor())
            count = 1
    print_result(as_json, {"replayed": count}, lambda: f"Replayed: {count}.")


def _change(endpoint_id: str, change: EndpointChange, environment: str, as_json: bool) -> None:
    with open_runtime() as runtime:
        environment_id = runtime.environments.named(environment).id
        changed = runtime.webhooks.endpoints.change(environment_id, endpoint_id, change, shell_actor())
    print_result(as_json, endpoint(changed), lambda: _endpoint_line(changed))


def _endpoint_line(one: WebhookEndpoint) -> str:
    status = f"{one.status} ({one.pause_reason})" if one.pause_reason else one.status
    return f"{one.id}  {one.url}  {','.join(one.events) or 'all events'}  {status}"


def _delivery_line(one: WebhookDelivery) -> str:
    answer = one.answer_status if one.answer_status is not None else "-"
    return f"{one.id}  {one.event}  {one.subject}  {one.state}  {answer}  {one.problem or ''}".rstrip()
