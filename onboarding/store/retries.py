"""Repeat a transaction that a concurrent one has disturbed."""

from collections.abc import Callable
from typing import TypeVar

from onboarding.errors import Conflict

Result = TypeVar("Result")
_TRIES = 5


def repeat_on_conflict(transaction: Callable[[], Result]) -> Result:
    """Run a transaction again while it raises a Conflict without a code of its own, five times in all.

    Such a conflict says that another transaction has changed the rows that this one had read. The next try reads them
    again. Raises the last Conflict.
    """
    for _ in range(_TRIES - 1):
        try:
            return transaction()
        except Conflict as conflict:
            if conflict.has_own_code:
                raise
    return transaction()
