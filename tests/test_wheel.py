"""The wheel alone is the product: installed into an empty environment, away from the checkout, it serves pages."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.ports import free_port

pytestmark = [pytest.mark.once, pytest.mark.slow]

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # By way of the source distribution, to test that it is complete too.
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of programs of an environment with only the wheel and the packages of the lock file."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment)
    programs = environment / "bin"
    # This process's pip installs into it, so it contains nothing else. Skip compiling: the programs run there once.
    pip = [sys.executable, "-m", "pip", "--python", programs / "python", "--quiet", "--disable-pip-version-check"]
    install = [*pip, "install", "--no-compile"]
    _run(*install, "--require-hashes", "--requirement", ROOT / "requirements.txt", cwd=environment)
    _run(*install, "--no-deps", wheel, cwd=environment)
    # The wheel names its own requirements, from requirements.in: all of them are installed, in the ranges that it
    # allows.
    _run(*pip, "check", cwd=environment)
    return programs


@pytest.fixture(scope="module")
def address(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the installed product. No setting of this process reaches it."""
    home = tmp_path_factory.mktemp("elsewhere")
    port = str(free_port())
    surroundings = {"PATH": os.defpath, "HOME": str(home), "HOST": "127.0.0.1", "PORT": port}
    _run(installed / "onboarding", "setup", cwd=home, env=surroundings)
    command = [str(installed / "granian"), "--interface", "wsgi", "--host", "127.0.0.1", "--port", port, "app:app"]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=home, env=surroundings, stdout=log, stderr=log)
    try:
        _wait_until_it_listens(int(port), server, home / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_wheel_holds_every_file_that_is_not_python(wheel: Path) -> None:
    folders = [
        folder for name in ("templates", "static", "migrations", "translations") if (folder := ROOT / name).is_dir()
    ]
    needed = {
        f"onboarding/{file.relative_to(ROOT)}"
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert needed - set(ZipFile(wheel).namelist()) == set()


def test_wheel_adds_only_two_names_to_site_packages(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"app.py", "onboarding"}


def test_installed_product_is_healthy(address: str) -> None:
    status, _ = _get(f"{address}/healthz")
    assert status == 200


def test_installed_product_shows_a_page_with_its_styles(address: str) -> None:
    _, page = _get(f"{address}/")
    assert "<main" in page
    style = re.search(r'href="(/static/[^"]+\.css[^"]*)"', page)
    assert style is not None
    assert _get(address + style[1])[0] == 200


def _run(*command: object, cwd: Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _wait_until_it_listens(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=0.1)
            break
    pytest.fail(log.read_text())


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()
