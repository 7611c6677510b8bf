"""The files that pages of other sites load: the button and the script."""

import re
import struct
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from onboarding.embed import button
from tests.browser_client import BrowserClient
from tools import embed

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
_ADDRESSES = ["/embed/button.svg", "/embed/button.png", "/embed/v1/connect.js", "/embed/v1/connect.d.ts"]
_NO_TOOLS = "embed/node_modules is missing or old: run `make check` once"


def test_a_file_is_for_every_site_and_names_nobody(operator: BrowserClient) -> None:
    """A shared cache may keep it, so the answer is the same with and without a session."""
    for address in _ADDRESSES:
        answer = operator.asks("GET", address, headers={"Origin": "https://shop.example"})
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Set-Cookie" not in answer.headers
        assert "Vary" not in answer.headers


def test_the_button_is_drawn_in_slack_s_sizes(visitor: BrowserClient) -> None:
    for kind in button.KINDS:
        query = f"?theme={kind.theme}&size={kind.size}&lang={kind.language}"
        drawing = visitor.asks("GET", f"/embed/button.svg{query}")
        root = ElementTree.fromstring(drawing.text)  # noqa: S314  # our own file
        size = (int(root.get("width", "")), int(root.get("height", "")))
        assert size == {"small": (204, 44), "default": (236, 48), "large": (276, 56)}[kind.size]
        assert root.get("aria-label") == {"en": "Add to Slack", "de": "Zu Slack hinzufügen"}[kind.language]
        assert drawing.headers["Content-Type"].startswith("image/svg+xml")
        picture = visitor.asks("GET", f"/embed/button.png{query}")
        assert picture.headers["Content-Type"] == "image/png"
        assert struct.unpack(">II", picture.content[16:24]) == (2 * size[0], 2 * size[1])


def test_the_mark_of_the_button_keeps_slack_s_colors(visitor: BrowserClient) -> None:
    drawing = visitor.asks("GET", "/embed/button.svg?theme=dark").text
    mark = (ROOT / "static/img/slack.svg").read_text()
    assert re.findall(r"<path fill.+?/>", drawing) == re.findall(r"<path .+?/>", mark)


def test_a_button_that_does_not_exist_is_refused_with_the_choices(visitor: BrowserClient) -> None:
    for query in ("theme=pink", "size=huge", "lang=xx", "theme="):
        answer = visitor.asks("GET", f"/embed/button.svg?{query}")
        assert answer.status_code == 400
        assert f"{query.partition('=')[0]} must be one of " in answer.text
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_script_is_what_make_embed_writes() -> None:
    assert (embed.SOURCES / "node_modules/esbuild").is_dir(), _NO_TOOLS
    assert (embed.OUTPUT / "v1/connect.js").read_text() == embed.script()


@pytest.mark.browser
def test_make_embed_writes_the_script_and_every_button(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "tools.embed", str(tmp_path)], cwd=ROOT, check=True)
    written = {one.relative_to(tmp_path) for one in tmp_path.rglob("*") if one.is_file()}
    assert written == {Path("v1/connect.js"), *(Path(kind.file_name) for kind in button.KINDS)}


def test_the_script_has_less_than_10_kb() -> None:
    assert (embed.OUTPUT / "v1/connect.js").stat().st_size < 10_000


def test_the_react_component_has_less_than_2_kb_and_the_types_of_the_script() -> None:
    assert (embed.SOURCES / "react/index.js").stat().st_size < 2_000
    source, copy = embed.TYPES
    assert source.read_text() == copy.read_text()
