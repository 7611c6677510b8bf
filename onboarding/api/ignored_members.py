"""Members of a request that no model has: they are ignored, and a header names them."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_args, get_origin
from urllib.parse import quote

from flask import g
from pydantic import BaseModel

from onboarding.api.field_types import EachLike, printable

#: Limits of `X-Ignored-Fields`, because a proxy in front may refuse longer headers.
_MAX_IGNORED = 20
_MAX_NAME_LENGTH = 100
_CUT_ESCAPE = re.compile(r"%[0-9A-F]?\Z")


def note_ignored(members: Mapping[str, object], model: type[BaseModel], within: str = "") -> None:
    """Remember the members that the model does not know, for the header `X-Ignored-Fields`."""
    add_ignored(_ignored(members, model, within))


@cache
def names_of(model: type[BaseModel]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the model's parameters, and those of them that are lists."""
    names = {field.alias or name: field for name, field in model.model_fields.items()}
    return frozenset(names), frozenset(name for name, field in names.items() if _is_list(field.annotation))


def _is_list(annotation: Any) -> bool:
    """Return whether the annotation is a tuple or a union with one."""
    return get_origin(annotation) is tuple or any(_is_list(part) for part in get_args(annotation))


def _ignored(members: Mapping[str, object], model: type[BaseModel], within: str) -> list[str]:
    known = {field.alias or name: field for name, field in model.model_fields.items()}
    names = [f"{within}{name}" for name in members if name not in known]
    for name, field in known.items():
        value, inner = members.get(name), f"{within}{name}."
        if not isinstance(value, dict):
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += _ignored(value, field.annotation, inner)
        for each in (one.model for one in field.metadata if isinstance(one, EachLike)):
            for key, one in value.items():
                names += _ignored(one, each, f"{inner}{key}.") if isinstance(one, dict) else []
    return names


def add_ignored(names: Sequence[str]) -> None:
    escaped = [_CUT_ESCAPE.sub("", quote(printable(name), safe=".-_~")[:_MAX_NAME_LENGTH]) for name in names]
    g.ignored = [*g.get("ignored", ()), *escaped][:_MAX_IGNORED]
