"""Limits of ClickHouse calls, by kind of work."""

from __future__ import annotations

from dataclasses import dataclass

#: A server that stops a query itself needs a moment to say so; only silence beyond this counts as a lost connection.
ANSWER_GRACE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one call; the server enforces them (https://clickhouse.com/docs/operations/settings/query-complexity).

    `priority` is left out on purpose: a query with lower priority is paused while others run, and a ranking that is
    never refreshed because of readers is worse than a slower reader. `max_threads` shares the machine instead.
    """

    #: Seconds until the server stops the query.
    max_execution_time: int
    #: Bytes of one query.
    max_memory_usage: int
    #: 0 leaves the choice to the server (all cores).
    max_threads: int = 0
    #: 0 means no limit.
    max_rows_to_read: int = 0
    #: The server refuses anything that writes.
    readonly: bool = False
    #: Seconds that the server may take beyond max_execution_time to say that it stopped the query.
    answer_grace: int = ANSWER_GRACE_SECONDS
    #: The server notes the statement in system.query_log, with its parameters: not what people search for.
    logged: bool = True

    @property
    def socket_timeout(self) -> int:
        """Seconds without a byte from the server after which the connection counts as lost."""
        return self.max_execution_time + self.answer_grace

    def settings(self) -> dict[str, int]:
        """As settings of the server; 0 keeps the server's default."""
        values = {
            "max_execution_time": self.max_execution_time,
            "max_memory_usage": self.max_memory_usage,
            "max_threads": self.max_threads,
            "max_rows_to_read": self.max_rows_to_read,
        }
        # 2: may only read, but may change settings.
        chosen = {name: value for name, value in values.items() if value}
        if not self.logged:
            chosen["log_queries"] = 0
        return chosen | ({"readonly": 2} if self.readonly else {})


#: A reader waits for it: the slowest measured page takes 3 s, and readers leave after 10. One query never takes the
#: whole server: the embedded engine has 2 GB in all.
READ = Limits(max_execution_time=10, max_memory_usage=1_000_000_000, readonly=True)

#: A block of 50,000 events and all its views takes below 1 s and 0.3 GB; beside a large merge it may take much longer,
#: and giving up early would only send the same block again.
WRITE = Limits(max_execution_time=120, max_memory_usage=1_500_000_000)

#: For background work: rankings, statistics, purges (a DELETE once waited 34 s for a merge), data migrations.
TASK = Limits(max_execution_time=600, max_memory_usage=1_500_000_000)
