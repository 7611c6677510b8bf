"""Run `make bench`: both apps side by side in one run, on both databases, reported as one table of ratios."""

import argparse
import json
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests import postgres
from tools.bench import install, measures, rounds, sessions
from tools.bench.contestants import Contestant
from tools.bench.processes import ROOT, end
from tools.bench.report import Row, table
from tools.bench.stores import NAMES, Store

_INTRODUCTION = """\
# Benchmark

`make bench` wrote this. It compares the REST API, connect sessions and the console's list with a plain Flask app of the same feature (`tools/bench/naive.py`:
Flask-SQLAlchemy, marshmallow, gunicorn with 2 workers of 8 threads) and, without goals, with the same app without API keys and sign-in (`tools/bench/lean.py`).
It compares installs with bolt-python's `OAuthFlow`, its Flask adapter and slack_sdk's SQLAlchemy stores (`tools/bench/install_bolt.py`, Granian
with the same workers and threads as ours). All ran in one run on one machine, in alternating rounds. A figure is the median of the rounds, a ratio
the median of the ratios of rounds that ran side by side. Read the ratios, not the absolute numbers. Over HTTP, differences under 1.3 prove nothing.

Ours is served as it ships, by Granian with 2 workers of 64 threads, SQLite in WAL with `synchronous=FULL`; the others have SQLite's default, which is durable, too.
PostgreSQL has its defaults for all. All servers run with `MALLOC_ARENA_MAX=2`, as docs/deploy.md recommends. A speed is requests per second · p50 / p99 ·
the server's processor time per request. In process, a time is the processor's, the app's + the database's.

An install begins with the click on the start page, skips Slack's own page, and ends when the callback is answered; only installs that are in the
database count. A stand-in on this machine answers Slack's methods over TLS. slack_sdk reads the machine's certificates for each call: *CA file* is
one file with Mozilla's certificates, *CA folder* is a folder of hashed names. The processor time of an install is that of the web processes.
"""
PARTS = ("install", "api", "sessions")


@dataclass(frozen=True)
class Plan:
    parts: tuple[str, ...]
    rows: tuple[int, ...]
    clients: tuple[int, ...]
    stores: tuple[str, ...]
    seconds: float
    rounds: int
    write: Path | None


def main() -> None:
    plan = _plan()
    # SIGTERM must clean up as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    found: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="onboarding-bench-") as folder:
        for contestants in _prepared(plan, Path(folder)):
            store = Store(contestants[0].store, Path(folder))
            if "install" in plan.parts:
                found += _installs(plan, contestants, store)
            if "api" in plan.parts:
                found += _compare(plan, contestants, store)
            if "sessions" in plan.parts:
                found += _sessions(plan, contestants, store)
    minutes = (time.monotonic() - begin) / 60
    text = f"{_INTRODUCTION}\n{_machine(plan)} The run took {minutes:.1f} minutes.\n\n{table(found)}\n"
    print(text)
    if plan.write:
        plan.write.write_text(text, encoding="utf-8")


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and shorter: two minutes instead of twenty")
    parser.add_argument("--rows", type=_numbers, help="sizes of the databases, the smallest first: 1000,100000,1000000")
    parser.add_argument("--clients", type=_numbers, default=(1, 16, 64), help="1,16,64")
    parser.add_argument("--stores", type=lambda text: tuple(text.split(",")), default=NAMES, help=",".join(NAMES))
    parser.add_argument("--seconds", type=float, help="of load for each figure and round")
    parser.add_argument("--rounds", type=int, help="each figure is the median of so many")
    parser.add_argument("--only", choices=PARTS, help="one part; the installs take two minutes")
    parser.add_argument("--write", type=Path, help="a file for the table")
    given = parser.parse_args()
    if unknown := set(given.stores) - set(NAMES):
        parser.error(f"--stores: {', '.join(sorted(unknown))} is none of {', '.join(NAMES)}")
    return Plan(
        parts=(given.only,) if given.only else PARTS,
        rows=given.rows or ((1000, 20_000) if given.quick else (1000, 100_000, 1_000_000)),
        clients=given.clients,
        stores=given.stores,
        seconds=given.seconds or (0.5 if given.quick else 0.7),
        rounds=given.rounds or (3 if given.quick else 5),
        write=given.write,
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(number) for number in text.split(",")))


def _prepared(plan: Plan, folder: Path) -> list[list[Contestant]]:
    """Prepare the contestants for each database. One core fills one database.

    Ours has every size, the naive app the smallest and the largest, the lean one the smallest. For the installs, ours
    and Bolt have no rows.
    """
    if "postgresql" in plan.stores:
        # Started here, so that the processes that fill databases find the server in their environment.
        postgres.server(durable=True)
    wanted = [("ours", 0), ("bolt", 0)] if "install" in plan.parts else []
    if "api" in plan.parts:
        ends = sorted({plan.rows[0], plan.rows[-1]})
        wanted += [(name, rows) for name, sizes in (("ours", plan.rows), ("naive", ends)) for rows in sizes]
        wanted.append(("lean", ends[0]))
    elif "sessions" in plan.parts:
        wanted += [("ours", plan.rows[0]), ("naive", plan.rows[0])]
    jobs = sorted(((rows, name, store) for store in plan.stores for name, rows in wanted), reverse=True)
    done: list[Contestant] = []
    with ExitStack() as started:
        running: list[subprocess.Popen[str]] = []
        while jobs or running:
            while jobs and len(running) < (os.cpu_count() or 1):
                rows, name, store = jobs.pop(0)
                _say(f"filling {name} on {store}: {rows:,} rows")
                running.append(_preparing(name, store, folder, rows))
                started.callback(end, running[-1])
            first = running.pop(0)
            said, _ = first.communicate()
            if first.returncode:
                sys.exit("A database could not be prepared: see the error above.")
            done.append(Contestant(**json.loads(said)))
    done.sort(key=lambda one: one.rows)
    return [[one for one in done if one.store == store] for store in plan.stores]


def _preparing(name: str, store: str, folder: Path, rows: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tools.bench.contestants", name, store, str(folder), str(rows)],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def _installs(plan: Plan, contestants: Sequence[Contestant], store: Store) -> list[Row]:
    _say(f"installs on {store.name}")
    ours, bolt = (next(one for one in contestants if (one.name, one.rows) == (name, 0)) for name in ("ours", "bolt"))
    several = [count for count in plan.clients if count > 1] or plan.clients
    return install.rows([ours, bolt], store, several, plan.seconds, _install_rounds(plan))


def _install_rounds(plan: Plan) -> int:
    """Return half the number of rounds: a load of installs ends long after its time, since each takes long."""
    return (plan.rounds + 1) // 2


def _compare(plan: Plan, contestants: Sequence[Contestant], store: Store) -> list[Row]:
    ours = [one for one in contestants if one.name == "ours" and one.rows]
    naive = [one for one in contestants if one.name == "naive"]
    lean = next(one for one in contestants if one.name == "lean")
    found: list[Row] = []
    # In process first: over HTTP the small databases grow.
    _say(f"in process on {store.name}")
    with rounds.processes([ours[0], naive[0], lean], store) as (*pair, leaner):
        found += measures.in_process(pair, leaner, store, plan.seconds / 4, plan.rounds)
    if len(ours) > 1:
        _say(f"growth on {store.name}")
        with rounds.processes(ours, store) as sizes:
            found += measures.growth(sizes, store, plan.seconds / 4, plan.rounds)
        _say(f"{ours[-1].rows:,} rows over HTTP on {store.name}")
        with rounds.sites([ours[-1], naive[-1]], store.folder) as sites:
            found += measures.large(sites, store, plan.clients[len(plan.clients) // 2], plan.seconds, plan.rounds)
    _say(f"over HTTP on {store.name}")
    with rounds.sites([ours[0], naive[0], lean], store.folder) as all_sites:
        found += measures.over_http(all_sites, store, plan.clients, plan.seconds, plan.rounds)
        found += measures.memory(all_sites[:2], store)
    return found


def _sessions(plan: Plan, contestants: Sequence[Contestant], store: Store) -> list[Row]:
    """Compare connect sessions, with the smallest databases."""
    _say(f"connect sessions on {store.name}")
    with_rows = [one for one in contestants if one.rows == plan.rows[0]]
    pair = [next(one for one in with_rows if one.name == name) for name in ("ours", "naive")]
    several = [count for count in plan.clients if count > 1] or plan.clients
    with rounds.sites(pair, store.folder) as both:
        return sessions.rows(both, store, several, plan.seconds, plan.rounds)


def _machine(plan: Plan) -> str:
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), shared with the load driver and PostgreSQL; Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}; "
        f"{plan.rounds} rounds of {plan.seconds:g} s, {_install_rounds(plan)} of the installs."
    )


def _say(words: str) -> None:
    print(f"… {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
