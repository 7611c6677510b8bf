"""Connect sessions over HTTP: created by a host's server, and polled by its customers' browsers."""

import json
from collections.abc import Sequence

from tools.bench import spread
from tools.bench.figures import per_second, speed_text
from tools.bench.operations import Operation
from tools.bench.report import Bound, Row
from tools.bench.rounds import Site, speeds
from tools.bench.stores import Store

GOAL = 20
_ADDRESS = "/v1/connect-sessions"
#: Sessions that are polled, for each second of load. Ours answers at most five polls a second for each of them.
_POLLED_PER_SECOND = 3000
_LEAST = Bound("≥", 2.0)


def rows(pair: Sequence[Site], store: Store, clients: Sequence[int], seconds: float, rounds: int) -> list[Row]:
    """Measure ours and the naive app, in this order. Polls come first, before the creates add rows."""
    polls = [_polls(site, int(_POLLED_PER_SECOND * seconds)) for site in pair]
    found = []
    for count in clients:
        what = f"poll a connect session, {count} {'client' if count == 1 else 'clients'}"
        found.append(_row(what, pair, polls, store, (count, seconds, rounds)))
    for count in clients:
        what = f"create a connect session, {count} {'client' if count == 1 else 'clients'}"
        found.append(_row(what, pair, [_create()] * len(pair), store, (count, seconds, rounds)))
    return found


def _row(
    what: str, pair: Sequence[Site], operations: Sequence[Operation], store: Store, load: tuple[int, float, int]
) -> Row:
    """`load`: clients, seconds and rounds."""
    ours, naive = speeds(pair, operations, *load)
    return Row(GOAL, what, store.name, speed_text(ours), speed_text(naive), ours.ratio(naive, per_second), _LEAST)


def _create() -> Operation:
    body = {
        "integrationIdentifier": spread.INTEGRATIONS[0],
        "subscriberId": "new-subscriber-{n}",
        "returnUrl": f"{spread.ORIGIN}/settings",
        "reference": "order-{n}",
    }
    return Operation("create a connect session", "POST", (_ADDRESS,), body=json.dumps(body), expected=201)


def _polls(site: Site, count: int) -> Operation:
    """Create sessions of customers, most of which are connected, and return the polls of all of them."""
    rows_ = site.contestant.rows
    facts = [spread.fact(number, rows_) for number in range(rows_)]
    customers = [one for one in facts if one.subscriber_id]
    targets, headers = [], []
    for number in range(count):
        customer = customers[number % len(customers)]
        body: dict[str, object] = {
            "integrationIdentifier": customer.integration,
            "subscriberId": customer.subscriber_id,
            "connectionMode": "subscriber",
            "expiresIn": 86_400,
        }
        if customer.context_keys:
            body["context"] = dict(key.split(":", 1) for key in customer.context_keys)
        answer = site.ask("POST", _ADDRESS, site.headers(_create()), json.dumps(body))
        made = json.loads(answer.body)
        targets.append(f"{_ADDRESS}/{made['id']}")
        headers.append({"Authorization": f"Bearer {made['token']}", "Origin": spread.ORIGIN})
    return Operation("poll a connect session", "GET", tuple(targets), own_headers=tuple(headers))
