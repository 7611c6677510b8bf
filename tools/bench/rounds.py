"""Rounds over HTTP and in process. Contestants alternate, so that a slow minute of the machine affects all of them."""

import itertools
import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Generic, TypeVar

from tests.ports import free_port
from tools.bench.contestants import Contestant, ask_over_http
from tools.bench.load import Load, Measured
from tools.bench.operations import Operation
from tools.bench.processes import ROOT, Server, end, serving
from tools.bench.signin import Answer
from tools.bench.stores import Store

_numbers = itertools.count(1, 1_000_000)


@dataclass(frozen=True)
class Speed:
    """Result of one round over HTTP. Times in milliseconds."""

    answered: int
    per_second: float
    p50: float
    p99: float
    longest: float
    #: Of the server's processes, for one request.
    cpu: float
    refused: int


@dataclass(frozen=True)
class Cost:
    """Result of one round of calls: milliseconds of processor time per request, the app's and its database's."""

    app: float
    database: float
    p95: float

    @property
    def whole(self) -> float:
        return self.app + self.database


Round = TypeVar("Round", Speed, Cost)


class Rounds(Generic[Round]):
    """Rounds of one contestant, in the order in which they were run."""

    def __init__(self) -> None:
        self.all: list[Round] = []

    def median(self, figure: Callable[[Round], float]) -> float:
        return median(figure(one) for one in self.all)

    def ratio(self, other: "Rounds[Round]", figure: Callable[[Round], float]) -> float:
        """Return the ratio to another contestant, from rounds that ran side by side: a slow minute cancels out."""
        pairs = zip(self.all, other.all, strict=True)
        return median(figure(mine) / (figure(theirs) or math.inf) for mine, theirs in pairs)


def new_numbers() -> int:
    """Return the first of a million numbers that no other load has."""
    return next(_numbers)


def driven(load: Load, server: Server) -> Speed:
    """Run the load driver against the server."""
    before = server.cpu_seconds()
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.load"],
        cwd=ROOT, input=json.dumps(asdict(load)), stdout=subprocess.PIPE, text=True, check=True, start_new_session=True,
    )  # fmt: skip
    measured = Measured(**json.loads(done.stdout))
    burnt = server.cpu_seconds() - before
    times = sorted(measured.milliseconds) or [0.0]
    return Speed(
        answered=len(measured.milliseconds),
        per_second=measured.rate,
        p50=_at(times, 0.5),
        p99=_at(times, 0.99),
        longest=times[-1],
        cpu=burnt * 1000 / len(times),
        refused=sum(measured.refused.values()),
    )


class Site:
    """One contestant behind its server, with its operator signed in."""

    def __init__(self, contestant: Contestant, server: Server) -> None:
        self.contestant, self.server = contestant, server
        self.ask = ask_over_http(server.port)
        self._program, self._browser = contestant.headers(self.ask)

    def load(self, operation: Operation, clients: int, seconds: float) -> Speed:
        load = Load(
            port=self.server.port,
            clients=clients,
            seconds=seconds,
            method=operation.method,
            targets=list(operation.targets),
            headers=self.headers(operation),
            body=operation.body,
            first=new_numbers(),
            expected=operation.expected,
            own_headers=list(operation.own_headers),
        )
        return driven(load, self.server)

    def headers(self, operation: Operation) -> dict[str, str]:
        return self._browser if operation.is_page else self._program


class Process:
    """One contestant in a process of its own, without a server."""

    def __init__(self, contestant: Contestant, process: subprocess.Popen[str], store: Store) -> None:
        self.contestant, self._process, self._store = contestant, process, store
        self._program, self._browser = contestant.headers(self.ask)

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: str) -> Answer:
        return Answer(**self._say({"method": method, "target": target, "headers": headers, "body": body}))

    def get(self, target: str, *, is_page: bool) -> str:
        return self.ask("GET", target, self._browser if is_page else self._program, "").body

    def calls(self, operation: Operation, seconds: float) -> Cost:
        url = self.contestant.database_url
        before = self._store.cpu_seconds(url)
        headers = self._browser if operation.is_page else self._program
        called = self._say({"operation": asdict(operation), "headers": headers, "seconds": seconds})
        database = (self._store.cpu_seconds(url) - before) * 1000 / called["asked"]
        return Cost(called["cpu_milliseconds"], database, _at(sorted(called["milliseconds"]), 0.95))

    def _say(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The process of {self.contestant.name} ended: see its output above.")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def sites(contestants: Sequence[Contestant], folder: Path) -> Iterator[list[Site]]:
    with ExitStack() as started:
        yield [Site(one, started.enter_context(served(one, folder))) for one in contestants]


@contextmanager
def served(one: Contestant, folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Serve a contestant. `more`: settings in addition to the contestant's own."""
    port = free_port()
    log = folder / f"{one.name}-{one.store}-{one.rows}.log"
    with serving(one.server(port), {**one.surroundings, **(more or {}), "PORT": str(port)}, port, log) as server:
        yield server


@contextmanager
def processes(contestants: Sequence[Contestant], store: Store) -> Iterator[list[Process]]:
    with ExitStack() as started:
        found = []
        for one in contestants:
            process = subprocess.Popen(
                [sys.executable, "-m", "tools.bench.inprocess", one.name],
                cwd=ROOT, env=one.surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
            )  # fmt: skip
            started.callback(end, process)
            found.append(Process(one, process, store))
        yield found


def speeds(
    found: Sequence[Site], operation: Operation | Sequence[Operation], clients: int, seconds: float, rounds: int
) -> list[Rounds[Speed]]:
    """Return the rounds of each site. `operation`: the same for all sites, or one for each."""
    each = [operation] * len(found) if isinstance(operation, Operation) else operation
    pairs = zip(found, each, strict=True)
    return interleaved([partial(site.load, one, clients, seconds) for site, one in pairs], rounds)


def interleaved(measures: Sequence[Callable[[], Round]], rounds: int) -> list[Rounds[Round]]:
    """Run one round of each measure, then the next, and return the rounds of each."""
    taken = [Rounds[Round]() for _ in measures]
    for _ in range(rounds):
        for measure, its in zip(measures, taken, strict=True):
            its.all.append(measure())
    return taken


def costs(found: Sequence[Process], operations: Sequence[Operation], seconds: float, rounds: int) -> list[Rounds[Cost]]:
    """Return the rounds of each process with its operation."""
    pairs = zip(found, operations, strict=True)
    return interleaved([partial(process.calls, operation, seconds) for process, operation in pairs], rounds)


def _at(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))]
