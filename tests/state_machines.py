"""Random sequences of steps by hypothesis: the same ones in every run."""

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.examples import examples


def walk(machine: Callable[[], RuleBasedStateMachine], walks: int, steps: int) -> None:
    """Build a test from a state machine. Shrinking is off: it takes minutes, and so few steps are readable.

    `walks`: how many `make test` does.
    """
    how = settings(
        max_examples=examples(walks), stateful_step_count=steps, derandomize=True, phases=[Phase.generate], deadline=None,
        database=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=how)  # type: ignore[arg-type]  # its parameter is a factory
