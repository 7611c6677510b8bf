"""Template filters that put values into words, in the language of the page; `layout.py` registers them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil
from typing import Final

from markupsafe import Markup, escape

from onboarding.characters import is_visible
from onboarding.http.languages import ENGLISH, current_language, month, translate
from onboarding.identity import OfferedContext
from onboarding.translatable import marked

# Not from strftime, whose month names follow the locale of the server.
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

#: The words before an actor's id, by its kind, and the actors without an id.
_ACTORS: Final = {"operator": "", "key": "API key ", "link": "Customer with link ", "shell": "Command line, "}
_NAMELESS_ACTORS: Final = {"shell": "Command line", "slack": "Slack", "system": "The server itself"}
_MODES: Final = {"subscriber": "Subscriber", "shared": "Shared", None: "Chosen after approval"}


def day_time(when: datetime) -> Markup:
    """Return a `<time>` element: "3 May, 14:02" as text, ISO 8601 as its `datetime`, the exact time as its title.

    Raises ValueError for a time without a zone, which `astimezone` would take for the server's local time.
    """
    moment = _in_utc(when)
    return _time_element(moment, _day(moment, f"{moment.hour:02}:{moment.minute:02}"))


def zoned_time(when: datetime) -> Markup:
    """Return a `<time>` element as `day_time` does, with its zone: "3 May, 14:02 UTC". Customers do not know ours."""
    moment = _in_utc(when)
    return _time_element(moment, f"{_day(moment, f'{moment.hour:02}:{moment.minute:02}')} UTC")


def exact_time(when: datetime) -> Markup:
    """Return a `<time>` element with year and zone: "3 May 2026, 14:02 UTC". Raises ValueError like `day_time`."""
    moment = _in_utc(when)
    return _time_element(moment, _date(moment, f"{moment:%H:%M} UTC"))


def precise_time(when: datetime) -> Markup:
    """Return a `<time>` element to the second: "3 May 2026, 14:02:31 UTC". Raises ValueError like `day_time`."""
    moment = _in_utc(when)
    return _time_element(moment, f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M:%S} UTC")


def elapsed_since(when: datetime, before: datetime) -> str:
    """Return how long after another time this one is: "at once", "8 seconds later", "3 minutes later"."""
    seconds = round((when - before).total_seconds())
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        # From two days on, count days: below that, the smaller unit is more precise. The same for hours and minutes.
        if seconds >= 2 * length or (unit == "second" and seconds):
            count = seconds // length
            return f"{count} {unit}{'' if count == 1 else 's'} later"
    return "at once"


@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    """Return one or two capitals for a name: "Acme HQ" -> "AH"; "#" if the name has no letter or digit."""
    firsts = [word[0] for word in _words(name)]
    return "".join(firsts[:2]).upper()[:2] or "#"


@lru_cache(maxsize=4096)
def context_list(keys: tuple[str, ...]) -> Markup:
    """Return an HTML list with the `context_label` of each key, or "None" for no keys."""
    if not keys:
        return Markup('<span class="nothing">None</span>')
    labels = (Markup("<li>{}</li>").format(context_label(key)) for key in keys)
    return Markup('<ul class="contexts">{}</ul>').format(Markup("").join(labels))


def offered_names(offered: tuple[OfferedContext, ...]) -> str:
    """Return the names of the contexts that a link offers, for customers: "Acme Europe · Acme US"."""
    return " · ".join(one.label or one.id for one in offered)


def time_taken(seconds: int) -> str:
    """Return how long something took, in few characters: "under 1 s", "42 s", "1 min 45 s", "2 h 5 min", "3 d 0 h"."""
    for large, length, small, part in (("d", 86_400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= length:
            return f"{seconds // length} {large} {seconds % length // part} {small}"
    return f"{seconds} s" if seconds > 0 else "under 1 s"


def duration(seconds: int) -> str:
    """Return a time to wait: in seconds, or in minutes if it is longer than two of them."""
    if seconds > 120:
        number, unit = ceil(seconds / 60), translate(marked("minutes"))
    else:
        number, unit = seconds, translate(marked("second") if seconds == 1 else marked("seconds"))
    return f"{number} {unit}"


def context_ids(keys: tuple[str, ...]) -> str:
    """Return the ids of context keys without their types, for customers: "acme, ops"."""
    return ", ".join(key.partition(":")[2] for key in keys)


def context_label(key: str) -> Markup:
    """Return an element for a context key such as "tenant:org-123", with its type marked up."""
    type_, colon, identifier = key.partition(":")
    inner = f'<span class="context-type">{escape(type_)}:</span> {escape(identifier)}' if colon else escape(key)
    return Markup(f"<span>{inner}</span>")  # noqa: S704  # each part is escaped above


def code_words(text: str) -> Markup:
    """Turn each part of a text that stands in `backticks` into a `<code>` element."""
    parts = text.split("`")
    # Every second part is between backticks.
    shown = (Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts))
    return Markup("").join(shown)


def mode_words(mode: str | None) -> str:
    return _MODES[mode]


def actor_words(actor: str) -> str:
    """Return an actor in words: "operator:ada@example.com" -> "ada@example.com", "key:key_1" -> "API key key_1"."""
    kind, _, identifier = actor.partition(":")
    if not identifier:
        return _NAMELESS_ACTORS.get(kind, actor)
    return f"{_ACTORS[kind]}{identifier}" if kind in _ACTORS else actor


def workspace(name: str | None, identifier: str | None = None) -> str:
    """Return what to call a workspace: its name, its id if the name shows nothing, or "the workspace" without both."""
    return (name if name and is_visible(name) else identifier) or translate(marked("the workspace"))


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "day_time": day_time,
    "zoned_time": zoned_time,
    "exact_time": exact_time,
    "precise_time": precise_time,
    "elapsed_since": elapsed_since,
    "time_taken": time_taken,
    "duration": duration,
    "initials": initials,
    "context_ids": context_ids,
    "context_label": context_label,
    "context_list": context_list,
    "offered_names": offered_names,
    "actor_words": actor_words,
    "workspace": workspace,
    "mode_words": mode_words,
    "code_words": code_words,
}


def _in_utc(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise ValueError("a time on a page needs a zone")
    return when.astimezone(UTC)


def _day(moment: datetime, time: str) -> str:
    """Return "3 May, 14:02", in the language of the page."""
    if current_language() == ENGLISH:
        return f"{moment.day} {_SHORT_MONTHS[moment.month - 1]}, {time}"
    name = month(moment.month, is_short=True)
    return translate(marked("%(day)s %(month)s, %(time)s"), day=moment.day, month=name, time=time)


def _date(moment: datetime, time: str) -> str:
    """Return "3 May 2026, 14:02 UTC", in the language of the page."""
    if current_language() == ENGLISH:
        return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {time}"
    values = {"day": moment.day, "month": month(moment.month, is_short=False), "year": moment.year, "time": time}
    return translate(marked("%(day)s %(month)s %(year)s, %(time)s"), **values)


def _time_element(moment: datetime, words: str) -> Markup:
    exact = _date(moment, f"{moment.hour:02}:{moment.minute:02}:{moment.second:02} UTC")
    machine = f"{moment.isoformat(timespec='seconds')[:19]}Z"
    return Markup(f'<time datetime="{machine}" title="{exact}">{words}</time>')  # noqa: S704  # digits and month names


def _words(name: str) -> list[str]:
    """Split a name into words that begin with a letter or digit."""
    separated = "".join(
        character if character.isalnum() else " " for character in name.replace("'", "").replace("’", "")
    )
    return separated.split()
