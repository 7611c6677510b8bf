"""pytest plugin: selects the database of this run, and the tests that need no second run.

`make test` runs all tests on SQLite, then those on PostgreSQL whose result can depend on the database. TEST_DATABASE
names the database of a run; without it, SQLite.
"""

import os

import pytest

from tests import postgres

DATABASE = os.environ.get("TEST_DATABASE") or "sqlite"

#: Folders of tests that use no database of the product.
_ONCE = {"practice", "slack", "vault"}


def pytest_configure(config: pytest.Config) -> None:
    if DATABASE not in {"sqlite", "postgresql"}:
        raise pytest.UsageError(f"TEST_DATABASE is {DATABASE!r}; it may be sqlite or postgresql.")
    if DATABASE == "postgresql" and not hasattr(config, "workerinput"):
        # Before the workers of xdist start: they inherit the address through the environment.
        postgres.server()


def pytest_report_header() -> str:
    return f"database: {DATABASE}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name in _ONCE:
            item.add_marker(pytest.mark.once)
    # The longest first, so that no worker still runs one of them when the others are done.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    not_here = ("once", "browser") if DATABASE == "postgresql" else ("postgresql",)
    left_out = {item for item in items if any(item.get_closest_marker(name) for name in not_here)}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]
