"""Write structured logs on standard error, without secrets and without callers.

Our own events carry ids and words only. Whatever else a library says passes ``scrubbed``, which blanks tokens, keys,
response_urls and telephone numbers wherever they stand; the chattiest libraries are turned down. A line that repeats is
written once a second, with how many ``times`` it was said, so that whoever knocks at the door cannot fill the disk.
"""

import logging
import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TextIO

import stamina.instrumentation
import structlog

AUDIT_HEAD: Final = "bot.audit_head"
"""The logger of the audit's daily head, which is written whatever the level: it is a proof, not a notice."""
_NAMES: Final = r"access_?key|api_?key|token|ticket|password|passwd|secret|cookie|response_url"
_NAMED_SECRET: Final = re.compile(rf"(?i)(?:\w*[_-])?(?:{_NAMES}|authorization)")
_SECRETS: Final = (
    re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|xoxe\.[\w.-]+"),  # Slack's tokens
    re.compile(r"\bvb_[\w-]{8,}"),  # VoIPBIN's access keys
    re.compile(r"\beyJ[\w-]{6,}(?:\.[\w-]+)*"),  # VoIPBIN's login tokens
    re.compile(r"(?i)(authorization[\"']?\s*[=:]\s*[\"']?(?:\w+\s+)?|\bbearer\s+)[^\s\"',;}]+"),
    re.compile(rf"(?i)((?:{_NAMES})[\"']?\s*[=:]\s*(?:b?[\"'])?)(?!bearer\s|•)[^\s\"'&,;}})]+"),
    re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://)[^\s/@\"']+@"),  # credentials in a URL
    re.compile(r"(://)[^\s\"']*/(?:commands|actions|hooks|services|workflows)/[^\s\"']+"),  # response_urls
    re.compile(r"(?i)(?<![\w.])(?:\+|%2b)[1-9](?:[ .()-]{0,2}\d){6,14}(?![\w-])"),  # telephone numbers
)
_QUIET: Final = {
    "httpx": logging.WARNING,  # logs whole URLs at INFO
    "httpcore": logging.WARNING,
    "slack_bolt": logging.WARNING,  # logs whole bodies of unsigned requests at INFO
    "slack_sdk": logging.WARNING,
    "dbos": logging.WARNING,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "aiohttp": logging.WARNING,
    "uvicorn": logging.WARNING,
    "websockets": logging.WARNING,
    "opentelemetry": logging.WARNING,
}
_FROM_OUTSIDE: Final = (
    "uvicorn",
    "asyncio",
    "bot.slack.transport.http",
    "bot.slack.transport.http",
    "bot.slack.transport.intake",
)
"""Loggers that anybody who reaches the port can make speak: their lines are one line, whatever figures they hold."""
_LINES_HELD: Final = 512


def scrubbed(text: str) -> str:
    """Return the text without anything that looks like a secret or a telephone number."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: (found.group(1) if found.re.groups else "") + "•••", text)
    return text


def _scrub(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Return every value, however deep; what is called a secret is none to be shown, whatever it looks like."""
    return {key: _scrubbed_value(key, value) for key, value in event.items()}


def _scrubbed_value(name: str, value: object) -> object:
    if isinstance(value, (bool, int, float, type(None))):
        return value
    if _NAMED_SECRET.fullmatch(name):
        return "•••"
    if isinstance(value, Mapping):
        return {scrubbed(str(key)): _scrubbed_value(str(key), inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_scrubbed_value("", inner) for inner in value]
    return scrubbed(str(value))


@dataclass(slots=True)
class _RepeatedLine:
    since: float
    again: int = 0
    last: logging.LogRecord | None = None


class _OneASecond(logging.StreamHandler[TextIO]):
    """Writes each line at once, and a line that repeats once a second; what is still held goes with the next line."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._clock = clock
        self._said: OrderedDict[tuple[str, ...], _RepeatedLine] = OrderedDict()

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == AUDIT_HEAD:
            super().emit(record)
            return
        now, line = self._clock(), _line(record)
        self._catch_up(now)
        said = self._said.get(line)
        if said is None:
            self._said[line] = _RepeatedLine(now)
            super().emit(record)
        else:
            said.again, said.last = said.again + 1, record

    def close(self) -> None:
        for said in self._said.values():
            self._write(said)
        self._said.clear()
        super().close()

    def _catch_up(self, now: float) -> None:
        while self._said:
            line, said = next(iter(self._said.items()))
            over = now - said.since >= 1
            if not over and len(self._said) < _LINES_HELD:
                return
            del self._said[line]
            self._write(said)
            if over and said.again:
                self._said[line] = _RepeatedLine(now)

    def _write(self, said: _RepeatedLine) -> None:
        record = said.last
        if record is None:
            return
        if isinstance(record.msg, dict):
            record.msg = {**record.msg, "times": said.again}
        else:
            record.msg, record.args = f"{record.getMessage()} (times={said.again})", None
        super().emit(record)


def _line(record: logging.LogRecord) -> tuple[str, ...]:
    """Return what makes two records the same line: everything but the time and, where strangers choose them,
    figures.
    """
    words = record.msg if isinstance(record.msg, dict) else {"event": f"{record.msg} {record.args}"}
    line = (record.name, record.levelname, *(f"{key}={value}" for key, value in words.items() if key != "timestamp"))
    return tuple(re.sub(r"\d+", "#", each) for each in line) if record.name.startswith(_FROM_OUTSIDE) else line


def configure(style: Literal["console", "json"], level: str = "INFO") -> None:
    """Set up logging for the process. Called once, by the composition root that runs."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    closing: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _scrub,
        structlog.processors.JSONRenderer(ensure_ascii=False) if style == "json" else _console(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _OneASecond(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=closing))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger(AUDIT_HEAD).setLevel(logging.INFO)
    logging.raiseExceptions = False  # else what cannot be formatted is printed as it is, with its arguments
    stamina.instrumentation.set_on_retry_hooks([_asking_again])
    for name, quiet in _QUIET.items():
        logger = logging.getLogger(name)
        logger.setLevel(quiet)
        logger.handlers.clear()
        logger.propagate = True


def _asking_again(details: stamina.instrumentation.RetryDetails) -> None:
    """Log one short line, and no warning: a question that is asked again is not lost."""
    why, wait = str(details.caused_by), round(details.wait_for, 2)
    structlog.get_logger(__name__).info("asking_again", why=why, after_seconds=wait, tries=details.retry_num)


def _console() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
