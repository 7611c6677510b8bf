"""What templates need to put a value into words: pure functions, given to Jinja by the page doors."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from markupsafe import Markup, escape

# Named here and not by strftime, whose month names follow the locale of the server.
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
# Four letters at most, so that a column of dates keeps its width.
_SHORT_MONTHS: Final = tuple(name if len(name) <= 4 else name[:3] for name in _MONTHS)

_MODES: Final = {"subscriber": "Subscriber", "shared": "Shared", None: "Chosen after Slack"}


def day_time(when: datetime) -> Markup:
    """A `<time>` element: "3 May, 14:02" to read, ISO 8601 for programs, the exact time in UTC as its title.

    Raises ValueError for a time without a zone, which would otherwise be read in the server's own.
    """
    moment = _in_utc(when)
    words = f"{moment.day} {_SHORT_MONTHS[moment.month - 1]}, {moment.hour:02}:{moment.minute:02}"
    return _time_element(moment, words)


def exact_time(when: datetime) -> Markup:
    """A `<time>` element with the year and the zone in its words: "3 May 2026, 14:02 UTC". Raises like `day_time`."""
    moment = _in_utc(when)
    words = f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"
    return _time_element(moment, words)


@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    """One or two capitals that stand for a name: "Acme HQ" -> "AH"; "#" where the name has no letter or digit."""
    firsts = [word[0] for word in _words(name)]
    return "".join(firsts[:2]).upper()[:2] or "#"


@lru_cache(maxsize=4096)
def context_list(keys: tuple[str, ...]) -> Markup:
    """Context keys as a list of `context_label`s; "None" where there are none."""
    if not keys:
        return Markup('<span class="nothing">None</span>')
    labels = (Markup("<li>{}</li>").format(context_label(key)) for key in keys)
    return Markup('<ul class="contexts">{}</ul>').format(Markup("").join(labels))


def context_label(key: str) -> Markup:
    """A context key such as "tenant:org-123" as an element that tells its type from its id."""
    kind, colon, identifier = key.partition(":")
    words = f'<span class="context-type">{escape(kind)}:</span> {escape(identifier)}' if colon else escape(key)
    return Markup(f"<span>{words}</span>")  # noqa: S704  # each part is escaped above


def code_words(text: str) -> Markup:
    """Words in which `backticks` mark what is code."""
    parts = text.split("`")
    shown = (Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts))
    return Markup("").join(shown)


def mode_words(mode: str | None) -> str:
    return _MODES[mode]


def workspace(name: str | None, identifier: str | None = None) -> str:
    """What to call a workspace: Slack may leave out its name, then its id stands in, and plain words without either."""
    return name or identifier or "the workspace"


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "day_time": day_time,
    "exact_time": exact_time,
    "initials": initials,
    "context_label": context_label,
    "context_list": context_list,
    "workspace": workspace,
    "mode_words": mode_words,
    "code_words": code_words,
}


def _in_utc(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise ValueError("a time on a page needs a zone")
    return when.astimezone(UTC)


def _time_element(moment: datetime, words: str) -> Markup:
    exact = f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment.hour:02}:{moment.minute:02}:{moment.second:02} UTC"
    machine = f"{moment.isoformat(timespec='seconds')[:19]}Z"
    return Markup(f'<time datetime="{machine}" title="{exact}">{words}</time>')  # noqa: S704  # digits and month names


def _words(name: str) -> list[str]:
    """The words of a name, each beginning at its first letter or digit."""
    spaced = "".join(character if character.isalnum() else " " for character in name.replace("'", "").replace("’", ""))
    return spaced.split()
