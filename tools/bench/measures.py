"""Compare ours with the other apps: each function returns rows of the table in docs/benchmark.md."""

import json
import re
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from statistics import median

from tools.bench import operations
from tools.bench.figures import p50, p99, per_second, speed_text
from tools.bench.operations import API, CREATE, HTML, LIST, LIST_100, PAGE, Operation
from tools.bench.report import Bound, Row, short
from tools.bench.rounds import Cost, Process, Rounds, Site, Speed, costs, speeds
from tools.bench.stores import Store

#: The number of each goal, and the least ratio.
_BOUNDS_OVER_HTTP = {"retrieve": (11, 2.5), LIST.name: (12, 2.0), HTML.name: (13, 1.3)}
_BOUNDS_OF_CREATE = {"sqlite": (8, 2.0), "postgresql": (8, 1.5)}
_BOUNDS_LARGE = {LIST.name: 9.0, HTML.name: 8.0}
_BOUNDS_OF_CPU = {"retrieve": 0.4, LIST.name: 0.45, LIST_100.name: 0.3, HTML.name: 0.5, "create": 0.2}
#: How much more a request may cost with the largest database than with the smallest; a page of filtered rows may cost
#: more.
_GROWTH, _PAGE_GROWTH = 1.2, 1.5
_READING_SECONDS = 60
_LEAN = "against the lean app"


def over_http(sites: Sequence[Site], store: Store, clients: Sequence[int], seconds: float, rounds: int) -> list[Row]:
    """Measure ours, the naive and the lean app, in this order."""
    *pair, lean = sites
    rows: list[Row] = []
    created: list[Rounds[Speed]] = []
    bounds = {**_BOUNDS_OVER_HTTP, CREATE.name: _BOUNDS_OF_CREATE[store.name]}
    # Creates come last: the reads are measured with the promised number of rows.
    for operation in (operations.retrieve(pair[0].contestant.rows), LIST, HTML, CREATE):
        goal, least = bounds[operation.name]
        for count in clients:
            # The lean app runs once for each operation: it has no goal.
            is_middle = count == clients[len(clients) // 2]
            ours, naive, *leaner = speeds([*pair, lean] if is_middle else pair, operation, count, seconds, rounds)
            # The goals of create and retrieve do not cover a single client.
            bound = None if goal in (8, 11) and count == 1 else Bound("≥", least)
            what = f"{operation.name}, {count} {'client' if count == 1 else 'clients'}"
            rows.append(_faster(goal, what, store, (ours, naive), bound))
            rows += [_faster(goal, f"{what}, {_LEAN}", store, (ours, its), None) for its in leaner]
            if operation is CREATE:
                created.append(ours)
                if count == max(clients):
                    rows += _waiting(what, store, pair[0], ours, naive)
    best = max(one.median(per_second) for one in created)
    raw = median(store.raw_commits_per_second(seconds) for _ in range(rounds))
    ours_, other, figure = f"{short(best)}/s", f"store {short(raw)}/s", 100 * best / raw
    rows.append(Row(9, "creates of raw commits", store.name, ours_, other, figure, Bound("≥", 15, " %")))
    return rows


def memory(pair: Sequence[Site], store: Store) -> list[Row]:
    ours, naive = (site.server.worker_megabytes() for site in pair)
    what = "memory of a worker (PSS)"
    return [Row(18, what, store.name, f"{short(ours)} MB", f"{short(naive)} MB", ours, Bound("≤", 75, " MB"))]


def in_process(pair: Sequence[Process], lean: Process, store: Store, seconds: float, rounds: int) -> list[Row]:
    small = min(process.contestant.rows for process in pair)
    found = []
    for operation in (operations.retrieve(small), LIST, LIST_100, HTML, CREATE):
        ours, naive, leaner = costs([*pair, lean], [operation] * 3, seconds, rounds)
        bound = Bound("≤", _BOUNDS_OF_CPU[operation.name])
        what = f"CPU in process: {operation.name}"
        found.append(_cheaper(what, store, ours, naive, bound))
        found.append(_cheaper(f"{what}, {_LEAN}", store, ours, leaner, None))
    return found


def growth(sizes: Sequence[Process], store: Store, seconds: float, rounds: int) -> list[Row]:
    """Measure ours with databases of several sizes, the smallest first."""
    largest, found = sizes[-1], []
    plain = [[operations.retrieve(one.contestant.rows) for one in sizes], [LIST] * len(sizes), [HTML] * len(sizes)]
    deep = [[_deep_list(one) for one in sizes], [_deep_page(one) for one in sizes]]
    for same in [*plain, *deep]:
        found.append(_grown(same[0].name, store, costs(sizes, same, seconds, rounds), sizes))
    for page in (operations.filtered_page(), operations.searched_page()):
        found.append(_grown(page.name, store, costs(sizes, [page] * len(sizes), seconds, rounds), sizes, _PAGE_GROWTH))
    filtered = [operations.filters(one.contestant.rows) for one in sizes]
    for same in (list(one) for one in zip(*filtered, strict=True)):
        *sized, unfiltered = costs([*sizes, largest], [*same, LIST], seconds, rounds)
        what = f"{same[0].name}, {largest.contestant.rows:,} rows"
        ours, list_ = f"{_milliseconds(sized[-1])}", f"unfiltered {_milliseconds(unfiltered)}"
        found.append(Row(16, what, store.name, ours, list_, sized[-1].ratio(unfiltered, _whole), Bound("≤", 1.3)))
        found.append(_grown(same[0].name, store, sized, sizes))
    for search in (operations.search(), operations.any_searched_page()):
        (searched,) = costs([largest], [search], seconds, rounds)
        what = f"{search.name}, {largest.contestant.rows:,} rows, p95"
        p95 = searched.median(lambda one: one.p95)
        found.append(Row(16, what, store.name, f"{short(p95)} ms", "", p95, Bound("≤", 50, " ms")))
    return found


def large(pair: Sequence[Site], store: Store, clients: int, seconds: float, rounds: int) -> list[Row]:
    found = []
    for operation in (LIST, HTML):
        ours, naive = speeds(pair, operation, clients, seconds, rounds)
        what = f"{operation.name}, {clients} clients, {pair[0].contestant.rows:,} rows"
        goal, _ = _BOUNDS_OVER_HTTP[operation.name]
        found.append(_faster(goal, what, store, (ours, naive), Bound("≥", _BOUNDS_LARGE[operation.name])))
    return [*found, _memory_after_reading(pair[0], store)]


def _faster(goal: int, what: str, store: Store, both: tuple[Rounds[Speed], Rounds[Speed]], bound: Bound | None) -> Row:
    ours, other = both
    return Row(goal, what, store.name, speed_text(ours), speed_text(other), ours.ratio(other, per_second), bound)


def _cheaper(what: str, store: Store, ours: Rounds[Cost], other: Rounds[Cost], bound: Bound | None) -> Row:
    mine, its = f"{short(ours.median(_app))} ms", f"{short(other.median(_app))} ms"
    return Row(14, what, store.name, mine, its, ours.ratio(other, _app), bound)


def _waiting(what: str, store: Store, site: Site, ours: Rounds[Speed], naive: Rounds[Speed]) -> list[Row]:
    slowest = (f"{short(ours.median(p99))} ms", f"{short(naive.median(p99))} ms", ours.ratio(naive, p99))
    longest, middle = ours.median(lambda one: one.longest), ours.median(p50)
    refused = [sum(one.refused for one in its.all) for its in (ours, naive)]
    locked = site.server.says("database is locked") + refused[0]
    return [
        Row(10, f"p99 of {what}", store.name, *slowest, Bound("≤", 0.3)),
        Row(
            19,
            f"longest {what}",
            store.name,
            f"{short(longest)} ms",
            f"p50 {short(middle)} ms",
            longest / (middle or 1),
            Bound("≤", 6),
        ),
        Row(19, f"refused or locked: {what}", store.name, str(locked), str(refused[1]), locked, Bound("≤", 0)),
    ]


def _grown(
    name: str, store: Store, sized: Sequence[Rounds[Cost]], sizes: Sequence[Process], most: float = _GROWTH
) -> Row:
    numbers = [process.contestant.rows for process in sizes]
    between = [f", {short(its.median(_whole))} at {rows:,}" for its, rows in zip(sized, numbers, strict=True)][1:-1]
    what = f"{name}: {numbers[-1]:,} against {numbers[0]:,} rows"
    ours, other = _milliseconds(sized[-1]) + "".join(between), _milliseconds(sized[0])
    return Row(15, what, store.name, ours, other, sized[-1].ratio(sized[0], _whole), Bound("≤", most))


def _deep_list(process: Process) -> Operation:
    """Return the request for a page in the middle of the list.

    In a large database, the walk to it follows the pages of a rare status, which are fewer.
    """
    rows = process.contestant.rows
    query, steps = ("limit=100&status=disconnected", rows // 40_000) if rows > 10_000 else ("limit=25", rows // 50)
    after = ""
    for _ in range(max(1, steps)):
        given = json.loads(process.get(f"{API}?{query}{after}", is_page=False))
        if given["next"] is None:
            break
        after = f"&after={given['next']}"
    return Operation("list of 10, deep by cursor", "GET", (f"{API}?limit=10{after}",))


def _deep_page(process: Process) -> Operation:
    """Return the request for the HTML page in the middle of the list, found as in `_deep_list`."""
    rows = process.contestant.rows
    query, steps = ("status=disconnected", rows // 10_000) if rows > 10_000 else ("", rows // 50)
    after = ""
    for _ in range(max(1, steps)):
        found = re.search(r"[?&;]after=([^\"&]+)", process.get(f"{PAGE}?{query}{after}", is_page=True))
        if found is None:
            break
        after = f"&after={found[1]}"
    return Operation("page of 25 as HTML, deep by cursor", "GET", (f"{PAGE}?{after.lstrip('&')}",), is_page=True)


def _memory_after_reading(site: Site, store: Store) -> Row:
    """Read the whole list, a hundred rows at a time, on one kept connection, and return the worker's memory."""
    before, read, after = site.server.worker_megabytes(), 0, ""
    connection = HTTPConnection("127.0.0.1", site.server.port, timeout=30)
    end = time.monotonic() + _READING_SECONDS
    while time.monotonic() < end:
        connection.request("GET", f"{API}?limit=100{after}", headers=site.headers(LIST_100))
        given = json.loads(connection.getresponse().read())
        read += len(given["data"])
        if given["next"] is None:
            break
        after = f"&after={given['next']}"
    connection.close()
    now = site.server.worker_megabytes()
    what = f"memory after reading {read:,} rows"
    ours, other = f"{short(now)} MB", f"before {short(before)} MB"
    return Row(18, what, store.name, ours, other, now / before, Bound("≤", 1.1))


def _milliseconds(its: Rounds[Cost]) -> str:
    database = its.median(lambda one: one.database)
    return f"{short(its.median(_app))}{f' + {short(database)}' if database else ''} ms"


def _app(one: Cost) -> float:
    return one.app


def _whole(one: Cost) -> float:
    return one.whole
