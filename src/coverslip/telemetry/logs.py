"""Logs as lines of text for people, or as lines of JSON for machines; each with the ids of the work at hand."""

import json
import logging
import sys
import time
from enum import StrEnum
from typing import Any

from coverslip.telemetry.ids import current_ids

# Chatty about every request, whose addresses may be secrets.
_QUIET = ("httpx", "httpcore")


class LogFormat(StrEnum):
    """How a log is written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """The least important lines that are written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class _WithIds(logging.Filter):
    """Notes the ids in the record, in the context in which it was made."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "ids"):
            record.ids = {name: str(value) for name, value in current_ids().items()}
        return True


class TextLines(logging.Formatter):
    """``2026-11-22 17:00:00,000 INFO coverslip.worker the message [run_id=… item_id=…]``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        ids: dict[str, str] = getattr(record, "ids", {})
        line = super().formatMessage(record)
        return f"{line} [{' '.join(f'{name}={value}' for name, value in ids.items())}]" if ids else line


class JsonLines(logging.Formatter):
    """One JSON object a line: ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``, the ids, ``exception``."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "ids", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logs(style: LogFormat, level: LogLevel) -> None:
    """Write the log of this process to standard error; whatever was configured before is gone."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style is LogFormat.JSON else TextLines())
    handler.addFilter(_WithIds())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
