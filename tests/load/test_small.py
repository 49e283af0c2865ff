"""Every benchmark still runs, in small, and what it says besides its times is true. Nothing here is timed."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


async def told(benchmark: str, *options: object) -> dict[str, Any]:
    """What it prints, as CONTRIBUTING.md has it run: one line, and it is JSON."""
    command = [sys.executable, "-m", f"tests.load.{benchmark}", *map(str, options)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    (line,) = printed.splitlines()
    figures: dict[str, Any] = json.loads(line)
    assert next(iter(figures)) == benchmark
    return figures


async def test_a_cold_start_finds_what_a_plain_walk_finds_and_asks_for_little_more() -> None:
    found = await told("cold_start", "--rows", 3000, "--running", 80, "--away", 0.002, "--rate", 200)
    walk, bot = found["unlimited"]["sequential"], found["unlimited"]["bot"]
    assert walk["running"] == bot["running"] == found["limited"]["bot"]["running"] == 80
    # The last hour, each forgotten one, the seams between readers, and what is read again on a slow machine.
    assert bot["requests"] < 4 * walk["requests"]


async def test_a_warm_list_asks_for_no_rows() -> None:
    found = await told("warm_list", "--rows", 3000, "--running", 150, "--rounds", 3)
    assert found["running"] == 150
    assert len(found["lists"]) >= 5
    assert {of_one["asked_rows"] for of_one in found["lists"]} == {0}


@pytest.mark.slow
async def test_the_audit_is_measured_at_two_sizes() -> None:
    found = await told("audit_at_size", "--records", 500, "--rounds", 1)
    assert [size["records"] for size in found["sizes"]] == [500, 5000]
    assert found["prune"]["cut"]
    assert found["prune"]["flaws_after"] == 0


async def test_a_list_is_drawn() -> None:
    found = await told("drawn_list", "--rounds", 2)
    assert found["rows"] == 10
    assert {"draw_us", "check_us", "json_us"} <= found.keys()


@pytest.mark.slow
async def test_every_list_that_is_typed_is_answered() -> None:
    found = await told("typed_lists", "--seconds", 0.5, "--burst", 100)
    assert (found["at_20"]["answered"], found["burst_200"]["answered"], found["burst_100"]["answered"]) == (
        10,
        200,
        100,
    )


@pytest.mark.slow
async def test_the_bot_starts_acks_and_ends() -> None:
    assert {"to_ack_cpu_s", "after_ack_mb", "to_end_s", "help_cpu_s"} <= (await told("start", "--rounds", 1)).keys()


@pytest.mark.slow
async def test_every_event_is_taken_in() -> None:
    found = await told("event_intake", "--events", 1000, "--rounds", 1)
    assert [of_one["events"] for of_one in found["socket"]] == [1000, 1000]
    assert [of_one["steps"] for of_one in found["one"]] == [30, 100]


@pytest.mark.slow
async def test_no_press_is_lost_or_doubled_while_replicas_are_killed() -> None:
    found = await told("replicas", "--minutes", 2, "--replicas", 2, "--every", 10, "--within", 120)
    assert found["wrong"] == []
    assert found["presses"] > found["refused_in_words"]
    assert found["alerts_posted"] + found["alerts_counted_in_a_line"] >= found["alerts_due"] > 0
    assert found["done"]["killed"] > 0
    assert found["done"]["frozen"] > 0


@pytest.mark.slow
async def test_the_index_is_the_truth_for_an_hour() -> None:
    found = await told("simulated_day", "--hours", 1, "--arrivals", 300)
    assert found["wrong"] == 0
    assert found["checkpoints"] > 3
    assert found["lost"] + found["gaps"] > 0


@pytest.mark.slow
async def test_all_peers_ack_everything() -> None:
    found = await told("peers", "--rounds", 1, "--acks", 40, "--peers", "stock", "tuned")
    for what in ("command c=1 p50_ms", "press c=16 p50_ms", "burst of 40, last ms"):
        assert {"bot", "stock", "tuned", "floor"} <= found[what].keys()


@pytest.mark.slow
async def test_both_doors_hold_under_attack() -> None:
    found = await told("attack", "--connections", 120, "--files", 256, "--presses", 1, "--seconds", 1)
    http, socket_mode = found["http"], found["socket_mode"]
    assert http["came"] >= 120
    assert (http["acked"], http["stops_sent_meanwhile"]) == (1, 1)
    answered, asked = http["healthz"].split(" of ")
    assert answered == asked
    assert http["most_files_of_the_bot"] < 256
    assert socket_mode["connections_open_asked"] <= 3
    assert socket_mode["warnings"] == 1
    assert socket_mode["command_answered_then"]


@pytest.mark.slow
async def test_many_press_at_once() -> None:
    found = await told("pressed_at_once", "--people", 2, "--rounds", 1, "--in-flight", 2, "--runs", 1)
    assert found["with_turns"]["not_recorded"] == 0


@pytest.mark.slow
async def test_what_one_stop_costs() -> None:
    found = await told("one_stop", "--stops", 2, "--rounds", 1, "--quiet", 0.1)
    assert found["one_stop"]["here"]["cpu_ms"] > 0


@pytest.mark.slow
async def test_those_on_call_can_stop_while_somebody_presses_on() -> None:
    found = await told("lockout", "--groups", 2, "--people", 2, "--outsider", "--stops", 4, "--seconds", 2)
    assert found["lockout"]["carried_out"] == "4 of 4"
    assert (found["lockout"]["refused_429"], found["lockout"]["refused_though_permitted"]) == (0, 0)


@pytest.mark.slow
async def test_each_gesture_enters_files_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.load.files_entered", "--rounds", "1", "--names"]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    gestures = printed.decode().split("\n/flows list")[1]
    *_, press, final, event, _ = re.split(r"\n(?=\S)", gestures)
    assert "bot/slack/listeners/stops.py" in press
    assert "bot/slack/listeners/stops.py" not in final
    assert "bot/activeflows/stopping/read_back.py" in final
    assert "bot/slack/cards/watch_card.py" in event
