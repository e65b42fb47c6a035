"""Logs of a process, without secrets."""

from __future__ import annotations

import logging
import logging.config
import re
from typing import TYPE_CHECKING, Any, TextIO

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

#: Log fields that are never written.
SECRET_FIELDS = frozenset(
    {"authorization", "cookie", "password", "passphrase", "secret", "token", "jwt", "viewer", "query_string", "headers"}
)

_QUERY_STRING = re.compile(r"(?<=[\w/])\?[^\s\"'<>]*=[^\s\"'<>]*")
_BEARER = re.compile(r"\b(Bearer|Basic|DPoP)\s+[\w.~+/=-]+", re.IGNORECASE)


def configure_logs(*, as_json: bool, stream: TextIO | None = None) -> None:
    """Send all logs of structlog and the standard library to `stream`: one JSON object per line, or readable text.

    The default stream is stderr.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,  # a plain traceback: no local variables
        redact,
    ]
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"structlog": formatter},
            "handlers": {"stream": {"class": "logging.StreamHandler", "formatter": "structlog", "stream": stream}},
            "filters": {"brief": {"()": _Brief}},
            "root": {"handlers": ["stream"], "level": "INFO"},
            "loggers": {
                "django": {"handlers": [], "propagate": True},
                # A request for another host, which anyone can send: a line, not a traceback.
                "django.security.DisallowedHost": {"filters": ["brief"]},
                # These log whole addresses, with their query strings, at INFO.
                "httpx": {"level": "WARNING"},
                "httpcore": {"level": "WARNING"},
                # Refused connections, with a traceback; the door raises these, and its callers log them.
                "clickhouse_driver.connection": {"level": "ERROR"},
            },
        }
    )


class _Brief(logging.Filter):
    """Leaves the traceback out."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that removes secret fields, query strings and credentials."""
    for name, value in event.items():
        if name.lower() in SECRET_FIELDS:
            event[name] = "…"
        elif isinstance(value, str):
            event[name] = _BEARER.sub(r"\1 …", _QUERY_STRING.sub("?…", value))
    return event
