"""The rules for the values of a new link."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from onboarding import addresses, identity
from onboarding.characters import has_controls, is_addressable, trim
from onboarding.errors import Refused
from onboarding.lifetimes import OPEN_LINK_LIFETIME
from onboarding.services.links.records import MAX_LIFETIME, NewLink
from onboarding.store.link_integrations import LinkedIntegration

_MAX_REFERENCE_LENGTH = 100
_MAX_LABEL_LENGTH = 100
_ADDRESS_WORDS = {"return_url": "return address", "refresh_url": "refresh address"}


def check(new: NewLink) -> None:
    """Check the rules of links.

    Raises Refused; its code is `link_needs_customer` for a link that names no customer and is not open.
    """
    if not (new.is_open or new.subscriber_id or new.context_keys or new.offered_contexts):
        sentence = "A link is for one customer: name a subscriber, a context or both."
        raise Refused(sentence, code="link_needs_customer")
    if new.is_open and (new.subscriber_id or new.context_keys or new.offered_contexts):
        raise Refused("An open link cannot fix or offer a subscriber or a context.")
    if new.workspace_id is not None and not identity.WORKSPACE_ID.match(new.workspace_id):
        raise Refused("A workspace id begins with T and an organization id with E, such as T0123ABCD.")
    if new.subscriber_id is not None and not is_addressable(new.subscriber_id):
        raise Refused("A subscriber id must have 1 to 255 visible characters, none of them / % ? # or \\.")
    _check_contexts(new)
    if new.mode == "shared" and not (new.is_open or new.context_keys or new.offered_contexts):
        raise Refused("Shared mode needs a context.", "mode")
    if new.mode == "subscriber" and not (new.is_open or new.subscriber_id):
        raise Refused("Subscriber mode needs a subscriber.", "mode")
    if not timedelta(minutes=1) <= new.effective_lifetime <= MAX_LIFETIME:
        raise Refused("A link's lifetime must be from 1 minute to 365 days.")
    if new.is_open and new.effective_lifetime > OPEN_LINK_LIFETIME:
        raise Refused("An open link's lifetime must be at most 24 hours.")
    if new.reference is not None and (
        not 1 <= len(new.reference) <= _MAX_REFERENCE_LENGTH or has_controls(new.reference)
    ):
        raise Refused(f"The reference must have 1 to {_MAX_REFERENCE_LENGTH} visible characters.", "reference")
    for name, address in _addresses(new):
        try:
            addresses.page_origin(address)
        except ValueError as fault:
            raise Refused(f"The {_ADDRESS_WORDS[name]} {fault}.", name) from None


def _check_contexts(new: NewLink) -> None:
    """Check the contexts of a link, and the labels of those that it offers. Raises Refused."""
    field = "offered_contexts" if new.offered_contexts else "context_keys"
    try:
        identity.check_link_contexts(new.context_keys, new.offered_contexts)
    except ValueError as fault:
        raise Refused(str(fault), field) from None
    for label in (one.label for one in new.offered_contexts if one.label is not None):
        if not 1 <= len(label) <= _MAX_LABEL_LENGTH or has_controls(label) or label != trim(label):
            raise Refused(
                f"The label of an offered context must have 1 to {_MAX_LABEL_LENGTH} visible characters.", field
            )


def _addresses(new: NewLink) -> Iterator[tuple[str, str]]:
    """Yield the addresses of the host's pages that are given, with their names."""
    for name in _ADDRESS_WORDS:
        if (address := getattr(new, name)) is not None:
            yield name, address


def page_origins(new: NewLink) -> dict[str, str]:
    """Return the origins of the link's addresses that are given, by `return_url` and `refresh_url`."""
    return {name: addresses.page_origin(address) for name, address in _addresses(new)}


def check_origins(integration: LinkedIntegration, origins: Mapping[str, str]) -> None:
    """Check that the integration allows the origins that a link's addresses are on. Raises Refused."""
    is_allowed = {"return_url": integration.allows_return_url, "refresh_url": integration.allows_refresh_url}
    for name, origin in origins.items():
        if not is_allowed[name]:
            sentence = f"The {_ADDRESS_WORDS[name]} is on {origin}, which is not an allowed origin of {integration.identifier}."
            raise Refused(sentence, name, "origin_not_listed")
