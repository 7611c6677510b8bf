"""Install system packages where this needs no password: as root, or with a sudo that does not prompt."""

import os
import shutil
import subprocess


def install(packages: list[str], announcement: str) -> None:
    """Try to install the packages; the caller checks again whether they are there."""
    apt = _apt_get()
    if not apt:
        return
    print(announcement, flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A fresh machine has no package lists, an old one has stale ones: both fail the install without this.
    subprocess.run([*apt, "update", "-qq"], env=quiet, check=False)
    subprocess.run([*apt, "install", "-qq", "--no-install-recommends", *packages, "-y"], env=quiet, check=False)


def _apt_get() -> list[str]:
    """Return the command to run, or an empty list if this user cannot install packages."""
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
