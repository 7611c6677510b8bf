"""The guide to the API: its examples return the documented responses, and its tables match the code."""

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from onboarding.api.problem_table import TABLE
from onboarding.services.api_keys import SCOPES
from tests.browser_client import Site

pytestmark = [pytest.mark.slow, pytest.mark.once]

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```(sh|console|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIES = re.compile(r"…|^\d{4}-\d\d-\d\dT")


@pytest.mark.parametrize("paper", ["README.md", "docs/api.md"])
def test_examples_return_the_documented_responses(paper: str, site: Site, tmp_path: Path) -> None:
    site.add_practice_app("slack-prod", "Acme", "Development", "allow")
    examples = _examples(paper)
    assert examples
    key = site.api_key("docs", "Development")
    for command, shown in examples:
        returned = _run(command, tmp_path, site.settings.origin, key)
        answer = json.loads(returned) if returned else {}
        if shown is None:
            assert "statusCode" not in answer, (command, returned)
        else:
            assert _differences(shown, answer) == [], (command, returned)


@pytest.mark.once
def test_documented_errors_match_the_code() -> None:
    rows = _table("code")
    assert rows == {name: [str(row.status), row.when] for name, row in TABLE.items()}


@pytest.mark.once
def test_documented_scopes_of_keys_match_the_code() -> None:
    assert _table("scope") == {name: [meaning] for name, meaning in SCOPES.items()}


def _table(head: str) -> dict[str, list[str]]:
    """Return the rows of the table whose first column is headed `head`."""
    lines = (ROOT / "docs/api.md").read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.replace("`", "").startswith(f"| {head} |"))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in rows]
    return {first.strip("`"): rest for first, *rest in cells}


def _examples(paper: str) -> list[tuple[str, Any]]:
    """Yield each block with curl, and the response shown right below it, if there is one."""
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


def _differences(shown: Any, returned: Any, place: str = "") -> list[str]:
    """Return where the response has other members than the document, or another value where the value does not vary."""
    if isinstance(shown, dict) and isinstance(returned, dict):
        other = [f"{place}.{name}" for name in shown.keys() ^ returned.keys()]
        return other + [
            one
            for name in shown.keys() & returned.keys()
            for one in _differences(shown[name], returned[name], f"{place}.{name}")
        ]
    if isinstance(shown, list) and isinstance(returned, list) and len(shown) == len(returned):
        return [one for pair in zip(shown, returned, strict=True) for one in _differences(*pair, f"{place}[]")]
    if shown == returned or (isinstance(shown, str) and isinstance(returned, str) and _VARIES.search(shown)):
        return []
    return [f"{place}: {returned!r}"]


def test_descriptions_say_something_and_have_no_markup_but_code() -> None:
    """The pages below /docs show a description as it is."""
    described = (ROOT / "docs/openapi.json").read_text(encoding="utf-8")
    texts = re.findall(r'"description": "((?:[^"\\]|\\.)*)"', described)
    assert len(texts) > 100
    plain = [re.sub(r"`[^`]*`", "", text) for text in texts]
    assert [
        text for text in plain if re.search(r"[*_]\w[^*_]*[*_]|\]\(|^(Likewise|See above|The same)\W*$", text)
    ] == []
