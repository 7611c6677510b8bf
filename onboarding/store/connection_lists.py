"""Lists of channel connections: filters, orders and keyset pages. Each statement is built once and kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, or_, select, tuple_, union_all
from sqlalchemy.ext.compiler import compiles

from onboarding.store import pagination
from onboarding.store.compiled import CompiledStatement
from onboarding.store.connections import DOCUMENTED, HOLDING, TABLE
from onboarding.store.database import Rows
from onboarding.store.pagination import PageRows, Position, StorePageRequest

#: A search that finds more rows than this is common enough to be met soon by walking down the order.
RARE = 1000
_LAST = "\U0010ffff"
_SEARCHED = (TABLE.c.search_name, TABLE.c.subscriber_id, TABLE.c.identifier, TABLE.c.workspace_id)


@dataclass(frozen=True, slots=True)
class ConnectionFilter:
    """What a list is narrowed to; None does not narrow."""

    integration_id: str | None = None
    mode: str | None = None
    subscriber_id: str | None = None
    #: With `subscriber_id`: the shared connections, too.
    with_shared: bool = False
    #: The exact set of context keys (`connections.context_digest`).
    context_digest: str | None = None
    #: One key among others.
    context_key: str | None = None
    workspace_id: str | None = None
    status: str | None = None
    #: The beginning of a workspace's name, a subscriber or an identifier, or the whole id of a workspace.
    text: str | None = None


#: The narrowest first: the first that is asked for leads, and its index is walked.
_COLUMNS = ("subscriber_id", "workspace_id", "context_digest", "integration_id", "status", "mode")


@dataclass(frozen=True, slots=True)
class IndexScan:
    """A filter that is ready to be walked: which conditions there are, and what they are given."""

    shape: tuple[str, ...]
    values: Mapping[str, Any]

    @property
    def finds_nothing(self) -> bool:
        """Known beforehand."""
        return "ids" in self.shape and not self.values["ids"]


def walk(rows: Rows, environment_id: str, wanted: ConnectionFilter) -> IndexScan:
    """What is searched for and rare is found now, and then narrowed; what is common is met while walking down the order."""
    shape, values = _shape(wanted), _values(environment_id, wanted)
    if wanted.text is None:
        return IndexScan(shape, values)
    told = _text_values(environment_id, wanted.text)
    found = _search().all(rows, {**told, "size": RARE + 1})
    if len(found) <= RARE:
        return IndexScan((*shape, "ids"), {**values, "ids": sorted({one.id for one in found})})
    return IndexScan((*shape, "text"), {**values, **told})


def page(rows: Rows, wanted: IndexScan, request: StorePageRequest) -> PageRows[Row[Any]]:
    """Rows of `connections.DOCUMENTED`."""
    if wanted.finds_nothing:
        return PageRows((), None, None)

    def fetch(*, descending: bool, position: Position | None, size: int) -> Sequence[Row[Any]]:
        how = None if position is None else position.inclusive
        query = _page(wanted.shape, request.order, descending, how)
        here = {} if position is None else {"moment": position.moment, "row_id": position.row_id}
        return _all(rows, query, {**wanted.values, **here, "size": size})

    return pagination.fetch_page(fetch, request, lambda row: Position(getattr(row, request.order), row.id))


def count(rows: Rows, wanted: IndexScan, cap: int) -> int:
    """May go past `cap`, but never far, so that a big table does not make every page slow. `with_shared` is two counts."""
    if wanted.shape == ("ids",):
        return len(wanted.values["ids"])
    if wanted.finds_nothing:
        return 0
    ((found,),) = _all(rows, _count(wanted.shape), {**wanted.values, "size": cap})
    return int(found)


def _all(rows: Rows, query: Any, values: dict[str, Any]) -> Sequence[Any]:
    return query.all(rows, values) if isinstance(query, CompiledStatement) else rows.execute(query, values).all()


def _kept(query: Any, shape: tuple[str, ...]) -> Any:
    """The text of a statement with a list of ids depends on how many they are."""
    return query if "ids" in shape else CompiledStatement(query)


def _shape(wanted: ConnectionFilter) -> tuple[str, ...]:
    """Which filters are there, whatever their values: one statement for each such shape."""
    return tuple(one.name for one in fields(wanted) if one.name != "text" and getattr(wanted, one.name))


def _values(environment_id: str, wanted: ConnectionFilter) -> dict[str, Any]:
    given = {f"{name}_": getattr(wanted, name) for name in (*_COLUMNS, "context_key")}
    return {"environment": environment_id, **{name: value for name, value in given.items() if value is not None}}


def _text_values(environment_id: str, text: str) -> dict[str, Any]:
    folded = text.casefold()
    return {
        "environment": environment_id,
        "text": text,
        "text_end": text + _LAST,
        "folded": folded,
        "folded_end": folded + _LAST,
    }


@lru_cache(maxsize=2000)
def _page(shape: tuple[str, ...], order: str, descending: bool, inclusive: bool | None) -> Any:
    """`inclusive` is None for the beginning of the list."""
    query = _ordered(DOCUMENTED, order, descending, inclusive)
    if "with_shared" not in shape:
        return _kept(query.where(*_conditions(shape)).limit(bindparam("size")), shape)
    # A subscriber's own and the shared ones are two walks down two indexes; one condition with OR would scan.
    base = tuple(name for name in shape if name not in ("subscriber_id", "with_shared", "mode"))
    walks = [
        select(
            _ordered(select(TABLE.c.id), order, descending, inclusive)
            .where(*_conditions((*base, *own)), *shared)
            .limit(bindparam("size"))
            .subquery()
        )
        for own, shared in ((("subscriber_id",), ()), ((), (_is_shared(base),)))
    ]
    found = union_all(*walks).subquery()
    moment = TABLE.c[order]
    turned = (moment.desc(), TABLE.c.id.desc()) if descending else (moment, TABLE.c.id)
    return _kept(DOCUMENTED.where(TABLE.c.id.in_(select(found.c.id))).order_by(*turned).limit(bindparam("size")), shape)


@lru_cache(maxsize=500)
def _count(shape: tuple[str, ...]) -> Any:
    base = select(TABLE.c.id)
    if shape == ("text",):
        # A row may be found twice, so each of the four walks counts to the cap.
        found = _matching(_Row().label("row")).subquery()
        return CompiledStatement(select(func.count(found.c.row.distinct())))
    counted = base.where(*_conditions(shape)).limit(bindparam("size")).subquery()
    return _kept(select(func.count()).select_from(counted), shape)


def _ordered(query: Any, order: str, descending: bool, inclusive: bool | None) -> Any:
    moment, row_id = TABLE.c[order], TABLE.c.id
    if inclusive is None:
        return pagination.walk(query, moment, row_id, descending)
    here = tuple_(bindparam("moment", type_=moment.type), bindparam("row_id", type_=row_id.type))
    return pagination.walk(query, moment, row_id, descending, here, inclusive)


def _conditions(shape: tuple[str, ...]) -> list[Any]:
    conditions = [TABLE.c.environment_id == bindparam("environment")]
    # SQLite takes any of several indexes that fit, the mode's as soon as the subscriber's: the others may not lead.
    asked = [name for name in _COLUMNS if name in shape]
    conditions += [TABLE.c[name] == bindparam(f"{name}_") for name in asked[:1]]
    conditions += [TABLE.c[name] + "" == bindparam(f"{name}_") for name in asked[1:]]
    if "context_key" in shape:
        holding = select(HOLDING.c.connection_id).where(HOLDING.c.key == bindparam("context_key_"))
        conditions.append(TABLE.c.id.in_(holding))
    if "ids" in shape:
        conditions.append(TABLE.c.id.in_(bindparam("ids", expanding=True)))
    if "text" in shape:
        # What is common is met soon by walking down the order, so no index may lead away from it: hence the `|| ''`.
        conditions.append(or_(*_begins(*(column + "" for column in _SEARCHED))))
    return conditions


def _is_shared(shape: tuple[str, ...]) -> Any:
    """Beside the conditions of `shape`: it leads where they are none."""
    return (TABLE.c.mode + "" if set(shape) & set(_COLUMNS) else TABLE.c.mode) == "shared"


def _begins(name: Any, subscriber: Any, identifier: Any, workspace: Any) -> tuple[Any, ...]:
    return (
        name.between(bindparam("folded"), bindparam("folded_end")),
        subscriber.between(bindparam("text"), bindparam("text_end")),
        identifier.between(bindparam("text"), bindparam("text_end")),
        workspace == bindparam("text"),
    )


class _Row(ColumnElement[Any]):
    """What tells rows apart and stands in each index, so that the rows need not be fetched to be counted."""

    inherit_cache = True


@compiles(_Row)
def _row(_element: _Row, compiler: Any, **_how: Any) -> str:
    return "channel_connections." + ("rowid" if compiler.dialect.name == "sqlite" else "id")


def _matching(shown: Any) -> Any:
    """What a search finds, each way by its own index. A row that is found twice stands there twice."""
    walks = [
        select(
            select(shown)
            .where(TABLE.c.environment_id == bindparam("environment"), one)
            .limit(bindparam("size"))
            .subquery()
        )
        for one in _begins(*_SEARCHED)
    ]
    return union_all(*walks)


@lru_cache(maxsize=1)
def _search() -> CompiledStatement:
    return CompiledStatement(_matching(TABLE.c.id).limit(bindparam("size")))
