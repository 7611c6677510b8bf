"""The official clients are pinned and installed as published, and the tests call the same operations of both."""

import importlib.metadata
import json
import re

import pytest

from tests.clients import official

pytestmark = pytest.mark.once

LOCK = json.loads((official.HERE / "package-lock.json").read_text(encoding="utf-8"))


def test_lock_file_has_checksums_and_no_registry() -> None:
    packages = {place: one for place, one in LOCK["packages"].items() if place}
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert [place for place, one in packages.items() if "resolved" in one] == []


def test_installed_packages_match_the_lock_file() -> None:
    for place, one in LOCK["packages"].items():
        if place:
            installed = json.loads((official.HERE / place / "package.json").read_text(encoding="utf-8"))
            assert installed["version"] == one["version"]


def test_both_clients_have_the_version_that_the_api_was_compared_with() -> None:
    assert importlib.metadata.version("novu-py") == "3.19.0"
    assert LOCK["packages"]["node_modules/@novu/api"]["version"] == "3.19.1"


def test_both_clients_make_the_same_calls() -> None:
    program = (official.HERE / "novu.mjs").read_text(encoding="utf-8")
    assert re.findall(r'^  "([a-z_.]+)": \(novu', program, re.MULTILINE) == list(official.CALLS)
