"""Ensure that the browser tests have a browser: find it, else install it, else print which package to install."""

import sys

from tests import chromium
from tools import apt

_PACKAGES = ["chromium", "chromium-sandbox", "fonts-liberation"]
_ADVICE = (
    "The browser tests need Chromium or Google Chrome: install one with your system's packages"
    " (Debian: apt-get install chromium; macOS: brew install --cask google-chrome), or set CHROMIUM to its path."
)


def main() -> int:
    if _found():
        return 0
    apt.install(_PACKAGES, "Installing Chromium with apt-get for the browser tests.")
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


if __name__ == "__main__":
    sys.exit(main())
