"""The function that a service calls before it commits a write, for example to store the response."""

from collections.abc import Callable
from typing import Any

#: Gets the rows of the transaction (`onboarding.store.rows.Rows`, which the API may not import) and the write's result.
BeforeCommit = Callable[[Any, Any], None]


def add_nothing(_rows: Any, _result: Any) -> None:
    """Do nothing. A service that gets this function may leave out a transaction around a single statement."""
