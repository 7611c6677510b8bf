"""Browser of the browser tests: the system's own Chromium or Chrome, started through Playwright."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from playwright.sync_api import Browser, Playwright

#: Chromium obeys only the last of several lists, so this one repeats Playwright's own (`disabledFeatures` in its
#: sources).
_DISABLED_FEATURES = [
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "msForceBrowserSignIn",
    "msEdgeUpdateLaunchServicesPreferredVersion",
    # Pages of the invisible address bar, and a process in reserve: a third of the processor time of each new window.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "SpareRendererForSitePerProcess",
]
ARGUMENTS = [
    f"--disable-features={','.join(_DISABLED_FEATURES)}",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
]

_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
_MAC_APPLICATIONS = [
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
]


@cache
def executable() -> str:
    """Return the path of a browser that starts. `CHROMIUM` in the environment names another one.

    Raises LookupError if there is none.
    """
    named = os.environ.get("CHROMIUM")
    candidates = [named] if named else [*map(shutil.which, _NAMES), *map(str, _MAC_APPLICATIONS)]
    for candidate in candidates:
        if candidate and _starts(candidate):
            return candidate
    raise LookupError("no Chromium or Chrome found; `make test` installs one or says how")


def launch(playwright: Playwright, *arguments: str, blocks_popups: bool = False) -> Browser:
    """Start a headless browser. Chromium refuses its sandbox to root, so root runs it without.

    `blocks_popups`: keep the popup blocker, which Playwright switches off.
    """
    return playwright.chromium.launch(
        executable_path=executable(),
        headless=True,
        chromium_sandbox=os.geteuid() != 0,
        args=[*ARGUMENTS, *arguments],
        ignore_default_args=["--disable-popup-blocking"] if blocks_popups else None,
    )


def _starts(candidate: str) -> bool:
    # Ubuntu's chromium-browser may be a script that only prints that a snap is needed, so it must run.
    try:
        return subprocess.run([candidate, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
