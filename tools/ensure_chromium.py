"""Makes sure that the browser tests have a browser: found, else installed, else one line that says what to install."""

import os
import shutil
import subprocess
import sys

from tests import chromium

_PACKAGES = ["chromium", "chromium-sandbox", "fonts-liberation"]
_ADVICE = (
    "The browser tests need Chromium or Google Chrome: install one with your system's packages"
    " (Debian: apt-get install chromium; macOS: brew install --cask google-chrome), or set CHROMIUM to its path."
)


def main() -> int:
    if _found():
        return 0
    apt = _apt_get()
    if apt:
        print("Installing Chromium with apt-get for the browser tests.", flush=True)
        _install(apt)
    if _found():
        return 0
    print(_ADVICE, file=sys.stderr)
    return 1


def _found() -> bool:
    chromium.executable.cache_clear()
    try:
        chromium.executable()
    except LookupError:
        return False
    return True


def _apt_get() -> list[str]:
    """The command that installs packages without asking anybody for a password; empty if there is none."""
    if shutil.which("apt-get") is None:
        return []
    if os.geteuid() == 0:
        return ["apt-get"]
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n", "apt-get"]
    return []


def _install(apt: list[str]) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A fresh machine has no package lists, an old one has stale ones: both fail the install without this.
    subprocess.run([*apt, "update", "-qq"], env=quiet, check=False)
    subprocess.run([*apt, "install", "-qq", "--no-install-recommends", *_PACKAGES, "-y"], env=quiet, check=False)


if __name__ == "__main__":
    sys.exit(main())
