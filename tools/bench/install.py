"""Installs beside bolt-python's `OAuthFlow`.

Both are served by Granian with as many processes and threads, and both have the same Slack stand-in. slack_sdk builds a
TLS context for each call, and what that costs depends on how the machine keeps its certificates. So installs are
measured twice: with the certificates in one file and in a folder where OpenSSL looks up the one that it needs.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from tools.bench import install_bolt, install_certificates, install_slack, signin
from tools.bench.contestants import Contestant, ask_over_http
from tools.bench.figures import cpu, per_second, speed_text
from tools.bench.load import Load
from tools.bench.processes import Server
from tools.bench.report import Bound, Row, short
from tools.bench.rounds import Rounds, Speed, driven, interleaved, new_numbers, served
from tools.bench.stores import Store

_MIN_INSTALLS = {"sqlite": 1.3, "postgresql": 1.0}
_MIN_STARTS = {"sqlite": 1.0, "postgresql": 0.6}
_MAX_CPU = {"sqlite": 8.0, "postgresql": 10.0}
#: Links that are prepared per second of load. A load that has used all of them ends early.
_LINKS_PER_SECOND = 500


class Site:
    """Ours or Bolt behind its server, and the requests that a browser sends to start an install."""

    def __init__(self, contestant: Contestant, server: Server, store: Store) -> None:
        self._contestant, self._server, self._store = contestant, server, store
        self._is_ours = contestant.name == "ours"
        self._links: list[str] = []
        self._form: signin.Form | None = None

    def starts(self, clients: int, seconds: float) -> Speed:
        """Measure starts without their callbacks."""
        return driven(self._load(clients, seconds, self._targets(100)), self._server)

    def installs(self, clients: int, seconds: float) -> Speed:
        """Measure installs from the start to the stored connection. Only those that are in the database count."""
        targets = self._targets(int(_LINKS_PER_SECOND * seconds) + clients)
        load = replace(self._load(clients, seconds, targets), callback_expected=303 if self._is_ours else 200)
        before = self._stored()
        speed = driven(load, self._server)
        self._links = self._links[speed.answered + speed.refused :]
        # An install that the driver no longer waited for may still be stored.
        stored = min(self._stored() - before, speed.answered)
        lost, share = speed.answered - stored, stored / max(speed.answered, 1)
        return replace(
            speed,
            per_second=speed.per_second * share,
            cpu=speed.cpu / (share or 1),
            refused=speed.refused + lost,
        )

    def _load(self, clients: int, seconds: float, targets: list[str]) -> Load:
        port, first = self._server.port, new_numbers()
        if not self._is_ours:
            return Load(port, clients, seconds, "GET", targets, {}, None, first, expected=302)
        if self._form is None:
            self._form = signin.form_of(ask_over_http(port), targets[0])
        return Load(port, clients, seconds, "POST", targets, self._form.headers, self._form.body, first, expected=303)

    def _targets(self, count: int) -> list[str]:
        """Return addresses that start an install; ours are unused links."""
        if not self._is_ours:
            return [install_bolt.START] * count
        self._links += self._contestant.links(count - len(self._links))
        return self._links[:count]

    def _stored(self) -> int:
        table = "channel_connections" if self._is_ours else "slack_installations"
        return self._store.count(self._contestant.database_url, table)


def rows(pair: Sequence[Contestant], store: Store, clients: Sequence[int], seconds: float, rounds: int) -> list[Row]:
    """Compare ours and Bolt, each with an empty database."""
    found: list[Row] = []
    with install_slack.running(store.folder) as (address, certificate):
        trust = {"SLACK_URL": address, **install_certificates.in_a_folder(store.folder, certificate)}
        with _sites(pair, store, trust, max(clients), seconds) as sites:
            measured = _Comparison(sites, store, seconds, rounds)
            for count in clients:
                found += measured.installs(f"{count} clients, CA folder", count, has_goal=True)
                found.append(measured.starts(f"{count} clients", count))
        trust = {"SLACK_URL": address, **install_certificates.in_a_file(store.folder, certificate)}
        with _sites(pair, store, trust, max(clients), seconds) as sites:
            measured = _Comparison(sites, store, seconds, rounds)
            for count in clients:
                found += measured.installs(f"{count} clients, CA file", count, has_goal=False)
    return found


@dataclass(frozen=True)
class _Comparison:
    """Ours and Bolt, each behind its server, and how long each figure is measured."""

    sites: Sequence[Site]
    store: Store
    seconds: float
    rounds: int

    def installs(self, what: str, clients: int, has_goal: bool) -> list[Row]:
        ours, bolt = interleaved([partial(site.installs, clients, self.seconds) for site in self.sites], self.rounds)
        least = Bound("≥", _MIN_INSTALLS[self.store.name]) if has_goal else None
        most = Bound("≤", _MAX_CPU[self.store.name], " ms") if has_goal else None
        burnt, other = ours.median(cpu), f"{short(bolt.median(cpu))} ms"
        return [
            self._row(1, f"install against Bolt, {what}", (ours, bolt), least),
            Row(3, f"CPU of an install, {what}", self.store.name, f"{short(burnt)} ms", other, burnt, most),
        ]

    def starts(self, what: str, clients: int) -> Row:
        ours, bolt = interleaved([partial(site.starts, clients, self.seconds) for site in self.sites], self.rounds)
        least = Bound("≥", _MIN_STARTS[self.store.name])
        return self._row(2, f"start of an install against Bolt, {what}", (ours, bolt), least)

    def _row(self, goal: int, what: str, both: tuple[Rounds[Speed], Rounds[Speed]], bound: Bound | None) -> Row:
        ours, bolt = both
        ratio = ours.ratio(bolt, per_second)
        return Row(goal, what, self.store.name, speed_text(ours), speed_text(bolt), ratio, bound)


@contextmanager
def _sites(
    pair: Sequence[Contestant], store: Store, trust: Mapping[str, str], clients: int, seconds: float
) -> Iterator[list[Site]]:
    with ExitStack() as started:
        sites = [Site(one, started.enter_context(served(one, store.folder, trust)), store) for one in pair]
        for site in sites:
            # Not measured: the first installs of a process open its connections to Slack and to the database.
            site.installs(clients, seconds)
        yield sites
