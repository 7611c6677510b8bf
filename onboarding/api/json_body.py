"""Parse the JSON of a request's body strictly, and report the position of a fault."""

import json
from collections import Counter
from collections.abc import Sequence
from math import isinf

from onboarding.api.field_types import printable
from onboarding.errors import Refused

#: How many characters of a value an error repeats.
_MAX_VALUE_LENGTH = 100


class _Invalid(ValueError):
    """Text that Python's JSON parser accepts and the API refuses."""


def parse(body: bytes) -> object:
    """Parse JSON strictly. Raises Refused (`body_not_json`), which names the member, value or position."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except UnicodeDecodeError as fault:
        sentence = f"The body is not UTF-8: byte {fault.start}"
    except json.JSONDecodeError as fault:
        sentence = f"The body is not JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}"
        sentence = sentence if body.strip() else "The body is empty: JSON is expected"
    except _Invalid as fault:
        sentence = f"The body is not JSON: {fault}"
    except ValueError:
        sentence = "The body is not JSON: it has a number with too many digits"
    except RecursionError:
        sentence = "The body is not JSON: it is nested too deeply"
    raise Refused(sentence, code="body_not_json")


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    # JSON does not say which of two equal names counts (RFC 8259, section 4).
    found = dict(pairs)
    if len(found) < len(pairs):
        repeated, _count = Counter(name for name, _value in pairs).most_common(1)[0]
        raise _Invalid(f"the member {cut_value(repeated)!r} is repeated")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise _Invalid(f"the number {text[:20]} is too large")
    return number


def _no_constant(name: str) -> object:
    # Python's parser accepts NaN and Infinity. JSON has neither (RFC 8259, section 6).
    raise _Invalid(f"{name} is not a JSON value")


def cut_value(value: object) -> object:
    """Return a value of the request short enough to be repeated in an error."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        # Larger ones become text: not every JSON parser keeps them exact (RFC 8259, section 6).
        return value if abs(value) < 2**53 else str(value)[:_MAX_VALUE_LENGTH]
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except RecursionError:
        # The value is nested almost as deeply as the parser allows, and this call is deeper in the stack.
        text = "…"
    return printable(text[:_MAX_VALUE_LENGTH])
