"""Take the screenshots in docs/screenshots: walk through the product with its practice Slack, as in `make run`.

The walk uses only the hooks that docs/hooks.md documents (data-page, data-action, field names).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests import chromium
from tests.ports import free_port

_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / "docs" / "screenshots"
_FLASK = [str(Path(sys.executable).parent / "flask"), "--app", "app"]
_PHONE = ViewportSize(width=390, height=844)
_DESK = ViewportSize(width=1280, height=800)
#: Rows of the list besides the customer in the pictures: subscriber, workspace, fixed context.
_OTHERS = [("harbor-labs", "T0ACMETEST", "tenant=harbor"), ("meridian", "T0MERIDESN", "tenant=meridian")]

#: Other pages of the console, and the names of their pictures.
_PAGES = {
    "/attempts": "installs",
    "/links": "links",
    "/integrations/slack-practice": "integration",
    "/api-keys/new": "new-api-key",
    "/audit": "audit",
}


def main() -> None:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as instance,
        _served(Path(instance)) as surroundings,
        sync_playwright() as started,
    ):
        browser = chromium.launch(started)
        desk = browser.new_page(viewport=_DESK)
        _newcomer_looks(desk, surroundings)
        for subscriber, workspace, context in _OTHERS:
            fixed = ["--mode", "subscriber", "--subscriber", subscriber, "--context", context]
            _connects(desk, _link(surroundings, *fixed), workspace)
        offered = ["--offer-context", "team=support", "--label", "Support team"]
        offered += ["--offer-context", "team=sales", "--label", "Sales team"]
        link = _link(surroundings, "--subscriber", "acme", *offered)
        _customer_connects(browser.new_page(viewport=_PHONE), link)
        _operator_looks(desk, _ask(surroundings, "operator", "add", "ada@northwind.example"))
        dark = browser.new_page(viewport=_DESK, color_scheme="dark", storage_state=desk.context.storage_state())
        dark.goto(desk.url)
        _picture(dark, "connection-dark")
        browser.close()


def _newcomer_looks(page: Page, surroundings: dict[str, str]) -> None:
    page.goto(f"http://127.0.0.1:{surroundings['PORT']}/")
    _picture(page, "first-run")


def _connects(page: Page, link: str, workspace: str) -> None:
    page.goto(link)
    page.locator("[data-action=connect]").click()
    page.locator(f"[name=workspace][value={workspace}]").check()
    page.locator("[data-action=allow]").click()
    page.locator("[data-outcome=connected]").wait_for()


def _customer_connects(page: Page, link: str) -> None:
    page.goto(link)
    _picture(page, "start")
    page.locator("[data-action=connect]").click()
    page.locator("[data-page=practice-consent]").wait_for()
    _picture(page, "practice-slack")
    page.locator("[data-action=allow]").click()
    page.locator("[data-page=setup]").wait_for()
    _picture(page, "set-up")
    page.locator("[name=offered_context]").first.check()
    page.locator("[data-action=save]").click()
    page.locator("[data-outcome=connected]").wait_for()
    _picture(page, "connected")


def _operator_looks(page: Page, link: str) -> None:
    page.goto(link)
    page.locator("main form button[type=submit]").first.click()
    row = page.locator("[data-connection]").first
    row.wait_for()
    _picture(page, "connections")
    row.get_by_role("link").first.click()
    page.locator("[data-page=connection]").wait_for()
    _picture(page, "connection")
    connection = page.url
    for path, name in _PAGES.items():
        page.goto(urljoin(connection, path))
        _picture(page, name)
    page.goto(connection)


def _link(surroundings: dict[str, str], *more: str) -> str:
    return _ask(surroundings, "link", "create", "--integration", "slack-practice", *more)


def _ask(surroundings: dict[str, str], *command: str) -> str:
    """Run a command and return the address that it prints."""
    said = subprocess.run(
        [*_FLASK, *command, "--json"], cwd=_ROOT, env=surroundings, stdout=subprocess.PIPE, check=True
    )
    return str(json.loads(said.stdout)["url"])


@contextmanager
def _served(instance: Path) -> Iterator[dict[str, str]]:
    """Run the product on a free port, with its own data. Yields the environment for its commands."""
    port = str(free_port())
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(instance), "INSTANCE": str(instance), "PORT": port}
    server = subprocess.Popen(
        [*_FLASK, "serve"], cwd=_ROOT, env={**surroundings, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        for line in server.stdout:
            if f":{port}" in line:
                break
        yield surroundings
    finally:
        server.terminate()
        # Read to the end, so that the server's last message finds an open pipe.
        server.communicate(timeout=30)


def _picture(page: Page, name: str) -> None:
    page.screenshot(path=_FOLDER / f"{name}.png", full_page=True, animations="disabled")


if __name__ == "__main__":
    main()
