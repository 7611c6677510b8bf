"""The part that a request adds to the transaction of a write, such as its stored response."""

from collections.abc import Callable
from typing import Any

#: A service calls it before the commit, with the transaction's session or connection and with the result of the write.
BeforeCommit = Callable[[Any, Any], None]


def add_nothing(_rows: Any, _result: Any) -> None:
    """Do nothing. A service that gets this function may leave out a transaction around a single statement."""
