"""Makes sure that the examples of the guide can be run: curl is found, else installed, else one line says so."""

import shutil
import sys

from tools import apt

_ADVICE = "The tests of the examples need curl: install it with your system's packages (Debian: apt-get install curl)."


def main() -> int:
    if shutil.which("curl") is None:
        apt.install(["curl"], "Installing curl with apt-get for the tests of the examples.")
    if shutil.which("curl") is None:
        print(_ADVICE, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
