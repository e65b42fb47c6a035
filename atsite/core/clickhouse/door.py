"""The only module that calls ClickHouse: every read and every insert goes through it, with a name.

    posts = door.query(RECENT_POSTS, {"did": did}, into=PostRef, name="feeds.recent_posts")
    door.insert("likes", {"rkey": [...], "did": [...]}, name="indexer.likes")

Parameters are the server's own (`{did:String}`), so a value is never part of the statement. The calls block: from a
coroutine use `await asyncio.to_thread(door.query, …)`. All raise the errors of atsite.core.clickhouse.errors.
"""

from __future__ import annotations

import dataclasses
import re
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from clickhouse_driver import errors as driver
from opentelemetry import trace
from prometheus_client import Counter, Histogram

from atsite.core.clickhouse import parameters as parameter_values
from atsite.core.clickhouse import pool
from atsite.core.clickhouse.errors import BadContent, ClickHouseError, Unreachable, translated
from atsite.core.clickhouse.limits import READ, TASK, WRITE, Limits
from atsite.core.config import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from clickhouse_driver import Client

    from atsite.core.clickhouse.parameters import Parameters

__all__ = ["READ", "TASK", "WRITE", "Limits", "column", "columns_of", "execute", "insert", "ping", "query", "scalar"]

T = TypeVar("T")
Result = TypeVar("Result")

QUERY_SECONDS = Histogram("clickhouse_query_seconds", "Duration of one ClickHouse call", ["name"])
QUERY_ERRORS = Counter("clickhouse_query_errors", "ClickHouse calls that failed", ["name", "code"])

_tracer = trace.get_tracer("atsite.clickhouse")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


def query(sql: str, params: Parameters | None = None, *, into: type[T], name: str, limits: Limits = READ) -> list[T]:
    """The rows as `into`, a frozen dataclass whose fields are the columns, by position.

    Raises TypeError if the statement's columns do not match the number of fields of `into`.
    """
    rows, columns = _read(sql, params, name, limits)
    fields = len(dataclasses.fields(into))  # type: ignore[arg-type]
    if len(columns) != fields:
        raise TypeError(f"{name}: {len(columns)} columns do not fit the {fields} fields of {into.__name__}")
    return [into(*row) for row in rows]


def column(sql: str, params: Parameters | None = None, *, name: str, limits: Limits = READ) -> list[Any]:
    """The first column."""
    rows, _ = _read(sql, params, name, limits)
    return [row[0] for row in rows]


def scalar(sql: str, params: Parameters | None = None, *, name: str, limits: Limits = READ) -> Any:
    """The first column of the first row. Raises LookupError if there is none."""
    rows, _ = _read(sql, params, name, limits)
    if not rows:
        raise LookupError(f"{name}: no row")
    return rows[0][0]


def execute(
    sql: str,
    params: Parameters | None = None,
    *,
    name: str,
    limits: Limits = WRITE,
    database: str | None = None,
) -> None:
    """Run a statement without a result; `database` defaults to the project's."""
    values = parameter_values.prepared(params or {})

    def call(client: Client) -> None:
        client.execute(sql, values, settings=_settings(name, limits))

    _call("clickhouse.query", name, limits, call, values=values, database=database)


def insert(table: str, columns: Mapping[str, Sequence[object]], *, name: str, limits: Limits = WRITE) -> int:
    """Insert one block, given by column; when this returns, the server has the rows. Returns their number.

    After an error it is unknown whether the rows arrived in the table, or also in its views: send the same block again.
    This function does not retry. Raises BadContent if a value does not fit its column, ValueError for columns of
    unequal length.
    """
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"{name}: columns of unequal length: { {key: len(value) for key, value in columns.items()} }")
    if not lengths or lengths == {0}:
        return 0
    (rows,) = lengths
    sql = f"INSERT INTO {_quoted(table)} ({', '.join(map(_quoted, columns))}) VALUES"
    # insert_deduplicate=0: a block skipped as a duplicate fires no views, and a replay must repair them. One block: the
    # driver would cut it at a million rows. Views in parallel: one after the other they would use only one core
    # while the insert waits. optimize_on_insert=0: rows of one key meet at a merge, as those of two
    # blocks do; folding each block by itself as well took a fifth of the server's time.
    own = {
        "insert_deduplicate": 0,
        "insert_block_size": rows,
        "parallel_view_processing": 1,
        "optimize_on_insert": 0,
    }
    settings = _settings(name, limits) | own
    data = list(columns.values())

    def call(client: Client) -> None:
        client.execute(sql, data, columnar=True, settings=settings)

    _call("clickhouse.insert", name, limits, call)
    return rows


def columns_of(row: type[T], rows: Sequence[T]) -> dict[str, list[object]]:
    """The columns of `rows`, all of the dataclass `row`: one for each of its fields, also if there are no rows."""
    fields = dataclasses.fields(row)  # type: ignore[arg-type]
    return {field.name: [getattr(value, field.name) for value in rows] for field in fields}


def ping(*, limits: Limits = READ) -> None:
    """Check that the server answers a query. Raises ClickHouseError (Unreachable, …)."""
    scalar("SELECT 1", name="door.ping", limits=limits)


def _read(sql: str, params: Parameters | None, name: str, limits: Limits) -> tuple[list[tuple[Any, ...]], list[Any]]:
    """Rows and columns. A read is repeated once after a lost connection, which is safe."""
    values = parameter_values.prepared(params or {})

    def call(client: Client) -> tuple[list[tuple[Any, ...]], list[Any]]:
        # Nothing reads the profile events, and to parse them in Python took half of a small look-up's time. (An insert
        # must not do without: the driver waits for them.)
        settings = {**_settings(name, limits), "send_profile_events": 0}
        rows, columns = client.execute(sql, values, with_column_types=True, settings=settings)
        return rows, columns

    return _call("clickhouse.query", name, limits, call, values=values, attempts=2)


def _call(
    operation: str,
    name: str,
    limits: Limits,
    call: Callable[[Client], Result],
    *,
    values: Parameters | None = None,
    database: str | None = None,
    attempts: int = 1,
) -> Result:
    """One call, measured and traced, its errors translated."""
    with _observed(operation, name):
        while True:
            attempts -= 1
            connected = False
            try:
                with _client(name, database) as client:
                    connected = client.connection.connected
                    _set_timeout(client, limits)
                    return call(client)
            except Exception as error:
                problem = _problem(error, operation, name, values)
                if problem is None:
                    raise
                # Repeat only after a used connection was lost: a new one that fails would fail again, and so would a
                # server that did not answer in time.
                cut = isinstance(problem, Unreachable) and not isinstance(error, TimeoutError)
                if not (connected and attempts and cut):
                    raise problem from error


@contextmanager
def _client(name: str, database: str | None) -> Iterator[Client]:
    if database is None or database == config.clickhouse_database:
        with pool.shared().client(name) as client:
            yield client
        return
    client = pool.connect(database)
    try:
        yield client
    finally:
        client.disconnect()


def _set_timeout(client: Client, limits: Limits) -> None:
    """For the current connection and for one that replaces it."""
    client.connection.send_receive_timeout = limits.socket_timeout
    if client.connection.socket is not None:
        client.connection.socket.settimeout(limits.socket_timeout)


def _problem(error: Exception, operation: str, name: str, values: Parameters | None) -> ClickHouseError | None:
    problem = translated(error, name=name, values=parameter_values.texts(values or {}))
    if problem is None and operation == "clickhouse.insert" and not isinstance(error, driver.Error):
        # The driver packs values in Python; what does not fit a column fails there, in many ways.
        return BadContent(f"{type(error).__name__}: a value does not fit its column", code=0, name=name)
    return problem


@contextmanager
def _observed(operation: str, name: str) -> Iterator[None]:
    started = perf_counter()
    with _tracer.start_as_current_span(operation, record_exception=False, set_status_on_exception=False) as span:
        # Never the parameters, nor an error's text: both can hold a viewer's did.
        span.set_attributes({"db.system.name": "clickhouse", "db.query.summary": name})
        try:
            yield
        except ClickHouseError as error:
            QUERY_ERRORS.labels(name=name, code=str(error.code)).inc()
            span.set_attribute("db.response.status_code", str(error.code))
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            QUERY_SECONDS.labels(name=name).observe(perf_counter() - started)


def _settings(name: str, limits: Limits) -> dict[str, Any]:
    """Limits, and a comment that names the caller in system.query_log."""
    context = trace.get_current_span().get_span_context()
    comment = f"{name} trace={context.trace_id:032x}" if context.is_valid else name
    return {**limits.settings(), "log_comment": comment}


def _quoted(identifier: str) -> str:
    if not _IDENTIFIER.fullmatch(identifier):
        raise ValueError(f"{identifier!r} is not a valid name of a table or column")
    return ".".join(f"`{part}`" for part in identifier.split("."))
