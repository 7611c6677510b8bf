"""The guide to the API: its examples run as they stand and answer what is shown, its tables are those of the code."""

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from onboarding.api.problems import TABLE
from onboarding.services.api_keys import SCOPES
from tests.browser_client import Site

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```(sh|console|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIES = re.compile(r"…|^\d{4}-\d\d-\d\dT")


@pytest.mark.parametrize("paper", ["README.md", "docs/api.md"])
def test_examples_run_as_they_stand_and_answer_what_is_shown(paper: str, site: Site, tmp_path: Path) -> None:
    site.add_practice_app("slack-prod", "Acme", "Development", "allow")
    examples = _examples(paper)
    assert examples
    key = site.api_key("docs", "Development")
    for command, shown in examples:
        told = _run(command, tmp_path, site.settings.origin, key)
        answer = json.loads(told) if told else {}
        if shown is None:
            assert "statusCode" not in answer, (command, told)
        else:
            assert _differences(shown, answer) == [], (command, told)


@pytest.mark.once
def test_every_error_is_documented_as_it_is() -> None:
    rows = _table("code")
    assert rows == {name: [str(row.status), row.when] for name, row in TABLE.items()}


@pytest.mark.once
def test_every_scope_of_a_key_is_documented_as_it_is() -> None:
    assert _table("scope") == {name: [meaning] for name, meaning in SCOPES.items()}


def _table(head: str) -> dict[str, list[str]]:
    """The rows of the table whose first column is headed `head`."""
    lines = (ROOT / "docs/api.md").read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.replace("`", "").startswith(f"| {head} |"))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in rows]
    return {first.strip("`"): rest for first, *rest in cells}


def _examples(paper: str) -> list[tuple[str, Any]]:
    """Each block with curl, and the answer that is shown right below it, if one is."""
    blocks = _BLOCK.findall((ROOT / paper).read_text(encoding="utf-8"))
    below = [*blocks[1:], ("", "")]
    return [
        (text, json.loads(answer) if kind == "json" else None)
        for (language, text), (kind, answer) in zip(blocks, below, strict=True)
        if language != "json" and "curl " in text
    ]


def _run(command: str, folder: Path, address: str, key: str) -> str:
    curl = shutil.which("curl")
    assert curl, "The examples need curl."
    environment = {"PATH": f"{Path(curl).parent}:/usr/bin:/bin", "API": address, "API_KEY": key, "NO_PROXY": "*"}
    ran = subprocess.run(
        ["sh", "-euc", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (0, ""), command
    return ran.stdout


def _differences(shown: Any, told: Any, place: str = "") -> list[str]:
    """Where the answer has other members than the paper shows, or another value where the value does not vary."""
    if isinstance(shown, dict) and isinstance(told, dict):
        other = [f"{place}.{name}" for name in shown.keys() ^ told.keys()]
        return other + [
            one
            for name in shown.keys() & told.keys()
            for one in _differences(shown[name], told[name], f"{place}.{name}")
        ]
    if isinstance(shown, list) and isinstance(told, list) and len(shown) == len(told):
        return [one for pair in zip(shown, told, strict=True) for one in _differences(*pair, f"{place}[]")]
    if shown == told or (isinstance(shown, str) and isinstance(told, str) and _VARIES.search(shown)):
        return []
    return [f"{place}: {told!r}"]
