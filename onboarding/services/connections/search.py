"""Read the filters and the order of the console's list, as people type them."""

from dataclasses import dataclass

from onboarding.identity import CONTEXT_PART, is_context_key
from onboarding.outcomes import ConnectionStatus
from onboarding.services.connections.records import ConsoleSearch
from onboarding.store import integrations
from onboarding.store.connection_filters import ConnectionFilter
from onboarding.store.database import Rows

_STATUSES = frozenset(one.value for one in ConnectionStatus)
_MODES = frozenset({"subscriber", "shared"})
#: The orders by their names in the address.
_ORDERS = {"created": "created_at", "workspace": "workspace", "status": "status", "checked": "checked_at"}


@dataclass(frozen=True, slots=True)
class ReadSearch:
    """`unknown` names the filters whose values are unknown. They do not filter."""

    filter: ConnectionFilter
    order: str
    descending: bool
    unknown: tuple[str, ...]


def read(rows: Rows, environment_id: str, search: ConsoleSearch) -> ReadSearch:
    status = search.status if search.status in _STATUSES else None
    mode = search.mode if search.mode in _MODES else None
    integration_id = integrations.id_of(rows, environment_id, search.integration) if search.integration else None
    context_key, context_id = _context(search.context)
    order = _ORDERS.get(search.sort.removeprefix("-"))
    found = {
        "status": status,
        "mode": mode,
        "integration": integration_id,
        "context": context_key or context_id,
        "sort": order,
    }
    unknown = [name for name, value in found.items() if getattr(search, name) and value is None]
    wanted = ConnectionFilter(
        text=search.q or None,
        status=status,
        mode=mode,
        integration_id=integration_id,
        context_key=context_key,
        context_id=context_id,
    )
    # Newest first, unless an order is chosen.
    return ReadSearch(wanted, order or "created_at", order is None or search.sort.startswith("-"), tuple(unknown))


def _context(text: str) -> tuple[str | None, str | None]:
    """Return the context key, or the id alone, that was typed: `tenant:acme`, `tenant=acme` or `acme`."""
    key = text.replace("=", ":", 1)
    if ":" in key:
        return key if is_context_key(key) else None, None
    return None, key if CONTEXT_PART.match(key) else None
