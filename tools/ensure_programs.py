"""Ensure that the programs which tests start exist: find, else install them, else print which package to install."""

import shutil
import sys

from tools import apt

#: Program: its Debian package, and the part that needs it.
PROGRAMS = {
    "curl": ("curl", "the tests of the examples"),
    "redis-server": ("redis-server", "the tests of shared rate limits"),
}


def main() -> int:
    missing = [_missing(program) for program in PROGRAMS if not _found(program)]
    for advice in filter(None, missing):
        print(advice, file=sys.stderr)
    return 1 if any(missing) else 0


def _missing(program: str) -> str | None:
    """Install the program. Returns advice if that is not possible."""
    package, purpose = PROGRAMS[program]
    apt.install([package], f"Installing {package} with apt-get for {purpose}.")
    if _found(program):
        return None
    purpose = purpose[0].upper() + purpose[1:]
    return f"{purpose} need {program}: install it with your system's packages (Debian: apt-get install {package})."


def _found(program: str) -> bool:
    return shutil.which(program) is not None


if __name__ == "__main__":
    sys.exit(main())
