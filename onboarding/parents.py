"""End a process whose parent has died, so that no orphan holds the port or the database."""

import os
import signal
import threading
import time
from collections.abc import Callable

#: Time for open requests and running work to end.
END_SECONDS = 15
_STDIN = 0


def end_after(wait_for_parent: Callable[[], object]) -> None:
    """Start a thread that ends this process once `wait_for_parent` returns.

    The process ends as with SIGTERM, or at once if that takes too long.
    """

    def end() -> None:
        wait_for_parent()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(END_SECONDS + 10)
        os._exit(os.EX_TEMPFAIL)

    threading.Thread(target=end, name="parent", daemon=True).start()


def end_with_stdin() -> None:
    """End this process once nobody can write to its standard input: the parent holds the other end of the pipe."""
    # Not `sys.stdin`: a thread that reads from it stops the interpreter from ending.
    end_after(lambda: os.read(_STDIN, 1))
