"""Tell the life of a stop as one trace, where somebody collects such: ``flows-bot[otel]``, OTEL_EXPORTER_OTLP_ENDPOINT.

The trace's id is made of the intent's, so that every replica, and whoever takes a press over, adds to the same trace
without being told of it. The record that it was asked for is the first span, all others are below it. Spans hold ids of
requests, activeflows and records, and words of our own: nobody's name, number, channel or text. Without an exporter
nothing is imported, and ``told`` is one look at a variable.

https://opentelemetry.io/docs/specs/otel/trace/sdk/
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

log = structlog.get_logger(__name__)
_LAST_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class SpanData:
    """A span to be. ``first``: it stands above all others of its trace."""

    name: str
    intent_id: str
    seconds: float
    first: bool
    said: Mapping[str, Any]


class _Exporter:
    """Where spans go, while there is somebody who collects them."""

    tell: Callable[["SpanData"], None] | None = None


def wanted() -> bool:
    """Tell whether anybody collects."""
    return _Exporter.tell is not None


def told(
    name: str, said: Mapping[str, object], *, seconds: float = 0.0, intent_id: str = "", first: bool = False
) -> None:
    """Tell of something that is over by now and lasted so long, about that intent or the one that log lines are
    about.
    """
    if _Exporter.tell is None:
        return
    about = intent_id or str(structlog.contextvars.get_contextvars().get("intent_id") or "")
    if about:
        _Exporter.tell(
            SpanData(
                name, about, seconds, first, {key: value for key, value in said.items() if value not in (None, "")}
            )
        )


@contextmanager
def exporting(endpoint: str) -> Iterator[None]:
    """Export to the collector at this address (OTLP over HTTP), as long as the block lasts; to nobody for ``""``."""
    if not endpoint:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
    except ImportError:
        log.warning("no_traces", why="OTEL_EXPORTER_OTLP_ENDPOINT is set, and flows-bot[otel] is not installed")
        yield
        return
    with exporting_to(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")):
        yield


@contextmanager
def exporting_to(exporter: "SpanExporter") -> Iterator[None]:
    """Export with an exporter that is there."""
    from opentelemetry.context import Context  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator  # noqa: PLC0415
    from opentelemetry.trace import (  # noqa: PLC0415
        NonRecordingSpan,
        SpanContext,
        TraceFlags,
        set_span_in_context,
    )

    class Ids(IdGenerator):
        """Those of the first span are its intent's; all others are drawn."""

        def __init__(self) -> None:
            self.first: ContextVar[tuple[int, int] | None] = ContextVar("first", default=None)
            self._drawn = RandomIdGenerator()

        def generate_trace_id(self) -> int:
            given = self.first.get()
            return given[0] if given else self._drawn.generate_trace_id()

        def generate_span_id(self) -> int:
            given = self.first.get()
            return given[1] if given else self._drawn.generate_span_id()

    ids = Ids()
    resource = Resource(
        {"service.name": os.environ.get("OTEL_SERVICE_NAME", "flows-bot"), "service.version": version("flows-bot")}
    )
    provider = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("flows-bot")

    def tell(what: SpanData) -> None:
        trace, span = ids_of(what.intent_id)
        until = time.time_ns()
        above = NonRecordingSpan(SpanContext(trace, span, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)))
        within = Context() if what.first else set_span_in_context(above, Context())
        said = {**what.said, "intent_id": what.intent_id}
        before = ids.first.set((trace, span) if what.first else None)
        try:
            since = until - int(what.seconds * 1e9)
            tracer.start_span(what.name, within, attributes=said, start_time=since).end(until)
        finally:
            ids.first.reset(before)

    _Exporter.tell = tell
    try:
        yield
    finally:
        _Exporter.tell = None
        provider.force_flush(int(_LAST_SECONDS * 1000))
        provider.shutdown()


def ids_of(intent_id: str) -> tuple[int, int]:
    """Return the ids of its trace, and of the first span in it."""
    made = hashlib.sha256(f"flows-bot intent {intent_id}".encode()).digest()
    return int.from_bytes(made[:16], "big"), int.from_bytes(made[16:24], "big")
