"""A stop is one trace, from the recording of its press to the verified outcome, and tells nothing about anybody."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from bot import tracing
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage


async def test_a_stop_is_one_trace_with_the_vendors_request_ids(bot: Stage, slack: Workspace, voipbin: World) -> None:
    collected = InMemorySpanExporter()
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive", source="+15550107777")
    with tracing.exporting_to(collected):
        card = await bot.asks_to_stop(activeflow, words="Zq7 is stuck")
        await slack.clicks(ALICE, card, "stop.flow")
        await bot.reads("Call: hung up")
    spans = collected.get_finished_spans()
    names = [span.name for span in spans]
    assert {"asked", "press recorded, then acked", "pressed", "sending", "outcome", "Slack chat.update"} <= set(names)
    assert "VoIPBIN GET /activeflows/{id}" in names
    (first,) = (span for span in spans if span.name == "asked")
    assert (first.context.trace_id, first.context.span_id) == tracing.ids_of(str((first.attributes or {})["intent_id"]))
    assert first.parent is None
    assert {span.context.trace_id for span in spans} == {first.context.trace_id}
    assert {span.parent.span_id for span in spans if span.parent} == {first.context.span_id}
    said = {span.name: dict(span.attributes or {}) for span in spans}
    posted = said["VoIPBIN POST /activeflows/{id}/stop"]
    assert (posted["acts"], posted["status"]) == (True, 200)
    assert str(posted["request_id"]).startswith("flows-bot-")
    assert str(said["Slack chat.update"]["request_id"])
    assert said["outcome"]["outcome"] == "Ended"
    everything = repr([(span.name, dict(span.attributes or {})) for span in spans])
    assert [word for word in (ALICE, INCIDENTS, "Zq7", "0107777", "Support line") if word in everything] == []


async def test_a_press_that_another_process_carries_out_is_told_in_the_same_trace(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    before, after = InMemorySpanExporter(), InMemorySpanExporter()
    activeflow = voipbin.rings(at="play")
    with tracing.exporting_to(before):
        card = await bot.asks_to_stop(activeflow)
    with tracing.exporting_to(after):
        await slack.clicks(ALICE, card, "stop.flow")
        await bot.reads("VoIPBIN shows it ended")
    traces = {span.context.trace_id for span in (*before.get_finished_spans(), *after.get_finished_spans())}
    assert len(traces) == 1


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector of OTLP over HTTP: its address, and what arrived."""
    arrived: list[tuple[str, bytes]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Taking) as server:
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}", arrived
        server.shutdown()
        serving.join()


def test_what_is_told_arrives_at_the_collector_before_the_end(
    collector: tuple[str, list[tuple[str, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, arrived = collector
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with tracing.exporting(f"{address}/"):
        tracing.told("outcome", {"seq": 1}, intent_id="an intent")
        tracing.told("not about a stop", {})
    ((path, body),) = arrived
    assert path == "/v1/traces"
    assert tracing.ids_of("an intent")[0].to_bytes(16, "big") in body
    assert b"flows-bot" in body
    assert b"not about a stop" not in body


def test_without_the_extra_that_is_said_and_nothing_else_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with capture_logs() as said, tracing.exporting("http://127.0.0.1:9"):
        tracing.told("outcome", {"seq": 1}, intent_id="an intent")
    assert [(line["event"], "flows-bot[otel] is not installed" in line["why"]) for line in said] == [
        ("no_traces", True)
    ]


def test_without_a_collector_nothing_is_imported() -> None:
    there = "import sys, bot.composition.bootstrap, bot.tracing as t; t.exporting('').__enter__(); t.told('x', {})"
    code = f"{there}; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
