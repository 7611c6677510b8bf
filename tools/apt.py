"""Installs system packages where that needs no password: as root, or with a sudo that does not ask."""

import os
import shutil
import subprocess


def install(packages: list[str], announcement: str) -> None:
    """Tries to; whoever calls looks again whether it is there now."""
    apt = _apt_get()
    if not apt:
        return
    print(announcement, flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A fresh machine has no package lists, an old one has stale ones: both fail the install without this.
    subprocess.run([*apt, "update", "-qq"], env=quiet, check=False)
    subprocess.run([*apt, "install", "-qq", "--no-install-recommends", *packages, "-y"], env=quiet, check=False)


def _apt_get() -> list[str]:
    """The command; empty if there is none."""
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
