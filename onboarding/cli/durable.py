"""Load DBOS for the commands that need it."""

from types import ModuleType


def durable_work() -> ModuleType:
    """Return `onboarding.jobs.durable`. Its import takes most of a second, which other commands need not wait for."""
    from onboarding.jobs import durable

    return durable
