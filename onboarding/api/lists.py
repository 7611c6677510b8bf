"""The parameters that lists share, and their pages."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from onboarding.api.field_types import NO_NUL_PATTERN, Flag, Plain, Wire
from onboarding.errors import Refused
from onboarding.pagination import Page, PageRequest

_LIMIT = re.compile(r"[0-9]{1,4}(\.0{1,4})?\Z")


def _limit(value: object) -> object:
    """Accept `10.0` as well, which the official Python client sends."""
    if not isinstance(value, str) or not _LIMIT.match(value) or not 1 <= int(float(value)) <= 100:
        raise ValueError("{field} must be a whole number from 1 to 100")
    return int(float(value))


def _keys(value: object) -> object:
    """Return the keys as a tuple. A present but empty parameter means no context."""
    if not isinstance(value, list):
        return value
    return tuple(value) if any(value) else ()


Limit = Annotated[
    int, BeforeValidator(_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 100, "default": 10})
]
#: Describes a list's `contextKeys`.
EXACT_SET = (
    "Only return the objects with exactly these context keys, in any order. Repeat the parameter for each key: "
    "`contextKeys=tenant:a&contextKeys=region:eu`. An empty value returns the objects without a context."
)
Keys = Annotated[
    tuple[Plain, ...],
    BeforeValidator(_keys),
    WithJsonSchema({"type": "array", "items": {"type": "string", "pattern": NO_NUL_PATTERN}}),
]


class CursorQuery(Wire):
    """The parameters that choose a page of a list."""

    limit: Limit = Field(10, description="How many objects a page has.")
    after: Plain | None = Field(
        None, description="A cursor for pagination. Send the `next` of a page to get the page after it."
    )
    before: Plain | None = Field(
        None, description="A cursor for pagination. Send the `previous` of a page to get the page before it."
    )
    include_cursor: Flag = Field(False, description="Whether to return the object at the cursor again.")

    def page_request(self) -> PageRequest:
        """Return the page that the query asks for. Raises Refused (`cursors_conflict`)."""
        if self.after and self.before:
            sentence = 'Cannot specify both "before" and "after" cursors at the same time.'
            raise Refused(sentence, "after", "cursors_conflict")
        return PageRequest(self.limit, self.after, self.before, include_cursor=self.include_cursor)


class PageQuery(CursorQuery):
    """The parameters of a list that can be sorted."""

    order_by: Literal["createdAt", "updatedAt"] = Field("createdAt", description="The time to sort by.")
    order_direction: Literal["DESC", "ASC"] = Field(
        "DESC", description="`DESC` returns the newest objects first, `ASC` the oldest."
    )

    def page_request(self) -> PageRequest:
        order = "created_at" if self.order_by == "createdAt" else "updated_at"
        return replace(super().page_request(), order=order, descending=self.order_direction == "DESC")


Item = TypeVar("Item", bound=Wire)
Record = TypeVar("Record")


class CursorPage(Wire, Generic[Item]):
    """A page of a list."""

    data: list[Item] = Field(description="The objects of the page.")
    next: str | None = Field(description="The cursor of the next page. Null on the last page.")
    previous: str | None = Field(description="The cursor of the previous page. Null on the first page.")
    total_count: int = Field(description="How many objects match the filters. The count stops at 50,000.")
    total_count_capped: bool = Field(description="Whether more than 50,000 objects match the filters.")

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the page's name in the document, such as `ContextPage` for a page of `Context`."""
        return f"{params[0].__name__}Page"


def page(found: Page[Record], show: Callable[[Record], Mapping[str, object]]) -> Mapping[str, object]:
    """Return the JSON object of a page."""
    return {
        "data": [show(one) for one in found.rows],
        "next": found.next,
        "previous": found.previous,
        "totalCount": found.total,
        "totalCountCapped": found.total_capped,
    }
