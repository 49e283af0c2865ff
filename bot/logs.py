"""Structured logs, on standard error, from which no secret and no caller can be read.

Our own events carry ids and words only. Whatever else a library says passes ``scrubbed``, which blanks tokens, keys,
response_urls and telephone numbers wherever they stand; the chattiest libraries are turned down.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal

import structlog

_SECRETS: Final = (
    re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|xoxe\.[\w.-]+"),  # Slack's tokens
    re.compile(r"\bvb_[\w-]{8,}"),  # VoIPBIN's access keys
    re.compile(r"(?i)((?:accesskey|token|password|secret)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}]+"),
    re.compile(r"(?i)(bearer\s+)\S+"),
    re.compile(r"(https?://)[^\s/@]+:[^\s/@]+@"),  # credentials in a URL
    re.compile(r"(://)[^\s\"']*/(?:commands|actions|hooks|services)/[^\s\"']+"),  # response_urls
    re.compile(r"(?<![\w.-])\+\d{7,15}(?![\w-])"),  # telephone numbers
)
_QUIET: Final = {
    "httpx": logging.WARNING,  # logs whole URLs at INFO
    "httpcore": logging.WARNING,
    "slack_bolt": logging.WARNING,  # logs whole bodies of unsigned requests at INFO
    "slack_sdk": logging.WARNING,
    "dbos": logging.WARNING,
    "asyncio": logging.WARNING,
    "aiohttp": logging.WARNING,
    "uvicorn": logging.WARNING,
    "websockets": logging.WARNING,
}


def scrubbed(text: str) -> str:
    """The text without anything that looks like a secret or a telephone number."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: (found.group(1) if found.re.groups else "") + "•••", text)
    return text


def _scrub(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = scrubbed(value)
        elif not isinstance(value, (int, float, bool, type(None))) and not key.startswith("_"):
            event[key] = scrubbed(str(value))
    return event


def configure(style: Literal["console", "json"], level: str = "INFO") -> None:
    """Set up logging for the process. Called once, by ``__main__``."""
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
        structlog.processors.JSONRenderer() if style == "json" else _console(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=closing))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        logger = logging.getLogger(name)
        logger.setLevel(quiet)
        logger.handlers.clear()
        logger.propagate = True


def _console() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
