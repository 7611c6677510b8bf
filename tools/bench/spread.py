"""Rows of a full database with a realistic distribution: few large contexts, many small ones, mostly subscribers."""

import bisect
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

INTEGRATIONS = ("slack-prod", "slack-eu", "slack-beta")
#: The origin of a host's pages.
ORIGIN = "https://app.example"
_INTEGRATION_SHARES = (0.9, 0.99)
_STATUSES = ("healthy", "unknown", "unreachable", "needs_reconnect", "disconnected")
_STATUS_SHARES = (0.8, 0.95, 0.98, 0.995)
_LARGE_CONTEXTS = 50
_NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
_SPAN = timedelta(days=730)
_FIRST = (
    "Acme",
    "Boreal",
    "Cobalt",
    "Delta",
    "Ember",
    "Fjord",
    "Granite",
    "Harbor",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lumen",
)
_SECOND = ("Analytics", "Bakery", "Consulting", "Design", "Energy", "Foods", "Games", "Health", "Insurance", "Labs")
#: Occurs in one name out of a thousand.
RARE_WORD = "Zephyr"


@dataclass(frozen=True)
class Fact:
    """One connection, whichever app stores it."""

    number: int
    integration: str
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    workspace_id: str
    workspace_name: str
    status: str
    created_at: datetime
    updated_at: datetime

    @property
    def identifier(self) -> str:
        return identifier(self.number)

    @property
    def token(self) -> str:
        return f"token-of-{self.workspace_id}-{self.number}"


def identifier(number: int) -> str:
    return f"bench-{number}"


def fact(number: int, rows: int) -> Fact:
    """Return the connection of this number, the same one each time. The higher the number, the newer the connection."""
    chance = _Chance(number)
    created = _NEWEST - _SPAN / rows * (rows - number)
    workspace = int(chance.part() ** 2 * max(rows // 3, 1))
    subscriber = None if chance.part() < 0.2 else f"subscriber-{_owner(number)}"
    return Fact(
        number=number,
        integration=chance.pick(INTEGRATIONS, _INTEGRATION_SHARES),
        subscriber_id=subscriber,
        context_keys=_context_keys(chance, number, subscriber),
        workspace_id=f"T{workspace:09d}",
        workspace_name=_name(workspace),
        status=chance.pick(_STATUSES, _STATUS_SHARES),
        created_at=created,
        updated_at=created + (_NEWEST - created) * chance.part(),
    )


class _Chance:
    """Fractions derived from a number: `random` would have to draw for all earlier numbers."""

    def __init__(self, number: int) -> None:
        self._drawn = int.from_bytes(hashlib.blake2b(number.to_bytes(8), digest_size=24).digest())

    def part(self) -> float:
        self._drawn, drawn = divmod(self._drawn, 1 << 24)
        return drawn / (1 << 24)

    def pick(self, names: tuple[str, ...], shares: tuple[float, ...]) -> str:
        """`shares` is cumulative: each name has the interval between its share and the one before."""
        return names[bisect.bisect(shares, self.part())]


def _context_keys(chance: _Chance, number: int, subscriber: str | None) -> tuple[str, ...]:
    large, kind = f"tenant:large-{int(chance.part() ** 2 * _LARGE_CONTEXTS)}", chance.part()
    if subscriber is None or _owner(number) != number:
        # An integration has one connection for each subscriber and set of contexts: the team makes each one unique.
        return (large, f"team:{number}") if kind < 0.5 else (f"team:{number}",)
    if kind < 0.4:
        return (large,)
    return (f"tenant:small-{number // 8}",) if kind < 0.7 else ()


def _owner(number: int) -> int:
    """Return this number or one of the two before: some subscribers have several workspaces."""
    return number - number % 3 if number % 2 else number


def _name(workspace: int) -> str:
    first = RARE_WORD if workspace % 1000 == 7 else _FIRST[workspace % len(_FIRST)]
    return f"{first} {_SECOND[workspace // 12 % len(_SECOND)]} {workspace}"
