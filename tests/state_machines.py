"""Walks that hypothesis makes up, step by step: the same ones in every run."""

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def walk(machine: Callable[[], RuleBasedStateMachine], walks: int, steps: int) -> None:
    """A walk that fails is not made shorter: that takes minutes, and so few steps can be read."""
    how = settings(
        max_examples=walks, stateful_step_count=steps, derandomize=True, phases=[Phase.generate], deadline=None,
        database=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=how)  # type: ignore[arg-type]  # its parameter is a factory
