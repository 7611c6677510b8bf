"""The host's own pages that a link leads to. They work while their origins are allowed for the link's integration."""

from onboarding import addresses
from onboarding.errors import LinkDetails
from onboarding.outcomes import Outcome
from onboarding.store import origins
from onboarding.store.database import Rows
from onboarding.store.installs import LinkStart
from onboarding.store.links import LinkRow


def return_url(
    rows: Rows, link: LinkRow | None, outcome: Outcome | None = None, connection: str | None = None
) -> str | None:
    """Return the address that the person returns to, with the outcome in its query; None if there is none.

    `connection`: the identifier of the connection, if this person may learn that it exists.
    """
    address = _allowed(rows, link, link.return_url if link else None)
    if address is None or link is None:
        return None
    parameters = {"outcome": outcome, "session": link.id, "reference": link.reference, "connection": connection}
    return addresses.with_parameters(address, {name: value for name, value in parameters.items() if value is not None})


def refresh_url(rows: Rows, link: LinkRow | None) -> str | None:
    """Return the address where the person gets a new link; None if there is none."""
    return _allowed(rows, link, link.refresh_url if link else None)


def details(rows: Rows, start: LinkStart, outcome: Outcome) -> LinkDetails:
    """Return what the page of an unusable link shows. An approval was passed on, so it has no way back."""
    link = start.link
    return LinkDetails(
        start.integration.branding, return_url(rows, link, outcome), refresh_url(rows, link), link.expires_at
    )


def _allowed(rows: Rows, link: LinkRow | None, address: str | None) -> str | None:
    """Return the address if its origin is allowed. An operator may have removed the origin since."""
    if link is None or address is None:
        return None
    is_allowed = addresses.stored_page_origin(address) in origins.of_integration(rows, link.integration_id)
    return address if is_allowed else None
