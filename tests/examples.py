"""pytest plugin: the number of generated examples.

`make test` tries enough of them for a change that breaks a rule to be noticed. `pytest --hypothesis-profile thorough`
tries ten times as many.
"""

from hypothesis import settings

_USUAL = settings.default.max_examples if settings.default else 100
settings.register_profile("thorough", max_examples=10 * _USUAL)


def examples(usual: int) -> int:
    """Return how many examples this run tries where `make test` tries `usual`."""
    chosen = settings.default.max_examples if settings.default else _USUAL
    return usual * chosen // _USUAL
