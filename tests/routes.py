"""Routes of the sites in tests. Compiling them took half of the time in which a site starts."""

from collections.abc import Callable

from werkzeug.routing import Rule

_BUILDERS: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}


class CompiledOnce(Rule):
    """A rule that shares the functions which build its addresses with every equal rule of this process."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        # The function takes the rule as its first argument, so it fits all of them.
        key = (self.rule, *self._trace, repr(self.defaults), append_unknown)
        if key not in _BUILDERS:
            _BUILDERS[key] = super()._compile_builder(append_unknown)
        return _BUILDERS[key]
