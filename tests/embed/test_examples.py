"""The examples run as they stand: a server in Python and one in JavaScript, both with the plain HTML page."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.navigator import Customer
from tests.browser_client import Site
from tests.ports import free_port
from tools import embed

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[2] / "examples"


@contextmanager
def _flask(port: int, settings: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "flask", "--app", "server", "run", "--port", str(port)]
    with _running(command, EXAMPLES / "flask", settings):
        yield


@contextmanager
def _express(port: int, settings: dict[str, str]) -> Iterator[None]:
    modules = EXAMPLES / "express" / "node_modules"
    modules.symlink_to(embed.SOURCES / "node_modules")
    try:
        with _running([str(embed.NODE), "server.js"], EXAMPLES / "express", {**settings, "PORT": str(port)}):
            yield
    finally:
        modules.unlink()


@pytest.mark.parametrize("server", [_flask, _express])
def test_example_connects_a_workspace(
    server: Callable[..., AbstractContextManager[None]], product: Site, browser: Browser
) -> None:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    product.allow_origin(origin)
    key = product.api_key(f"Example {port}", scopes=("links:write",))
    settings = {"ONBOARDING_URL": product.settings.origin, "API_KEY": key}
    with server(port, settings):
        _wait_for(origin)
        page = browser.new_page()
        page.goto(origin)
        connect, connected = page.get_by_text("Connect Slack"), page.get_by_text("Acme HQ", exact=True)
        expect(connect.or_(connected)).to_be_visible()
        # The second example finds the customer of the first one connected.
        if connect.is_visible():
            with page.expect_popup() as opened:
                connect.click()
            popup = Customer(product, opened.value)
            popup.presses("connect")
            popup.allows()
            expect(page.get_by_text("Acme HQ gets our messages now.")).to_be_visible()
        expect(connected).to_be_visible()
        page.close()


@contextmanager
def _running(command: list[str], folder: Path, settings: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        command, cwd=folder, env={"PATH": os.defpath, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(origin: str) -> None:
    for _ in range(200):
        try:
            httpx.get(origin, trust_env=False, timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nothing answers at {origin}")
