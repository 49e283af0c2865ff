"""What is logged can be given to anybody: no secret, no caller; but ids and times stand as they are."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Literal

import httpx
import pytest
import stamina
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import AUDIT_HEAD, configure, scrubbed

Style = Literal["console", "json"]
STYLES: tuple[Style, ...] = ("console", "json")
SECRETS = [
    "xoxb-123456789012-abcDEF",
    "xapp-1-A0123-456-abcdef0123",
    "xoxe.xoxp-1-Mi0yLTE",
    "vb_0123456789abcdef",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "Bearer abc.def",
    "Authorization: Basic Ym90OndvcmQ=",
    "accesskey=hunter2",
    "?token=hunter2&x=1",
    "{'password': 'hunter2'}",
    '{"signing_secret": "hunter2"}',
    "access_key: hunter2",
    "wss://wss-primary.slack.com/link/?ticket=hunter2&app_id=1",
    "https://me:hunter2@api.voipbin.net/v1.0",
    "postgresql+psycopg://flows:hunter2@db:5432/flows",
    "https://hooks.slack.com/commands/T0HOME/123/hunter2",
    "https://hooks.slack.com/actions/T0HOME/123/hunter2",
    "+15550100001",
    "tel:+15550100001",
    "sip:+15550100001@example.com",
    "%2B15550100001",
    "caller-+15550100001",
    "+1 (555) 010-0001",
    "+44 7700 900123",
]
PERSONAL = ("hunter2", "5550100001", "010-0001", "900123", "abcDEF", "0123456789abcdef", "c2lnbm", "Ym90", "abc.def")
HARMLESS = [
    "3c5b0f6e",
    "3c5b0f6e-1111-4222-8333-444455556666",
    "1755675669.204310",
    "2026-08-20T03:00:00.123456Z",
    "2026-08-20T03:00:00.123456+00:00",
    "2026-08-20 03:00:00 +0000 1755675669",
    "the basic plan",
    "U0ALICE",
    "C0INCIDENTS",
    "press:aabbccddeeff00112233445566778899:U0ALICE:1755675669.204310",
    "0f3c2a9b1d",
    "GET /v1.0/activeflows?page_size=100 -> 200 in 12 ms",
    "https://api.voipbin.net/v1.0/activeflows",
    "86 of 101 steps used",
    "waiting in queue Support, 3rd time round",
    "tokens left: 8 of 17 a second",
]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging as it was, afterwards."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


def logged(capsys: pytest.CaptureFixture[str], style: Style, say: Callable[[], object], level: str = "INFO") -> str:
    capsys.readouterr()
    configure(style, level)
    say()
    return capsys.readouterr().err


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_or_a_number_is_blanked_and_the_words_around_it_stay(secret: str) -> None:
    told = scrubbed(f"before {secret} after")
    assert "•••" in told
    assert told.startswith("before ")
    assert told.endswith(" after")
    assert not any(word in told for word in PERSONAL)


@pytest.mark.parametrize("words", HARMLESS)
def test_ids_times_and_sentences_stand_as_they_are(words: str) -> None:
    assert scrubbed(words) == words


@given(st.uuids(), st.datetimes(), st.floats(1_000_000_000, 2_000_000_000))
def test_no_id_and_no_instant_is_ever_taken_for_a_number(id_: object, at: object, ts: float) -> None:
    for words in (f"activeflow {id_}", f"at {at}Z", f"at {at}+00:00", f"message {ts:.6f}", f"short {str(id_)[:8]}"):
        assert scrubbed(words) == words


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.sampled_from(["", " ", "tel:", "(", "'", "=", "<"]))
def test_no_international_number_survives(number: str, before: str) -> None:
    assert number[1:] not in scrubbed(f"{before}{number}")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("secret", SECRETS)
def test_it_is_blanked_wherever_it_stands(capsys: pytest.CaptureFixture[str], style: Style, secret: str) -> None:
    def say() -> None:
        structlog.get_logger("ours").info(secret, value=secret, deep={"list": [secret], "also": (secret,)}, obj=Odd())
        logging.getLogger("theirs").warning("they say %s", secret)
        try:
            raise ValueError(secret)  # noqa: TRY301 # what an exception says is the point
        except ValueError:
            structlog.get_logger("ours").exception("broke")
            logging.getLogger("theirs").exception("broke, too")

    class Odd:
        def __str__(self) -> str:
            return secret

    told = logged(capsys, style, say)
    assert told.count("ValueError") >= 2
    assert told.count("•••") >= 6
    assert not any(word in told for word in PERSONAL)


@pytest.mark.parametrize("style", STYLES)
def test_what_is_called_a_secret_is_blanked_whatever_it_looks_like(
    capsys: pytest.CaptureFixture[str], style: Style
) -> None:
    told = logged(
        capsys,
        style,
        lambda: structlog.get_logger("ours").info(
            "x", token="hunter2", slack_bot_token="hunter2", deep={"password": "hunter2"}, response_url="hunter2"
        ),
    )
    assert "hunter2" not in told
    assert told.count("•••") == 4


def test_json_keeps_its_structure(capsys: pytest.CaptureFixture[str]) -> None:
    where = ["bot/slack/transport/jobs.py:12 run", "bot/voipbin/client.py:40 get"]
    told = logged(
        capsys,
        "json",
        lambda: structlog.get_logger("ours").warning(
            "stop_sent", activeflow="3c5b0f6e-1111-4222-8333-444455556666", attempt=2, late=False, why=None, where=where
        ),
    )
    line = json.loads(told)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "stop_sent",
        "level": "warning",
        "logger": "ours",
        "activeflow": "3c5b0f6e-1111-4222-8333-444455556666",
        "attempt": 2,
        "late": False,
        "why": None,
        "where": where,
    }


@pytest.mark.parametrize("style", STYLES)
def test_each_event_of_ours_and_of_others_is_told_once_on_standard_error(
    capsys: pytest.CaptureFixture[str], style: Style
) -> None:
    def say() -> None:
        configure(style)  # once more changes nothing
        structlog.get_logger("ours").info("ours_said")
        logging.getLogger("theirs").info("theirs said")
        logging.getLogger("uvicorn").warning("uvicorn said")

    told = logged(capsys, style, say)
    assert [told.count(words) for words in ("ours_said", "theirs said", "uvicorn said")] == [1, 1, 1]
    assert len(told.splitlines()) == 3


@pytest.mark.parametrize("style", STYLES)
async def test_the_http_client_says_nothing_of_the_addresses_it_asks(
    capsys: pytest.CaptureFixture[str], style: Style
) -> None:
    capsys.readouterr()
    configure(style, "DEBUG")
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get("https://api.voipbin.net/v1.0/calls?target=15550100001")
    assert capsys.readouterr().err == ""
    logging.getLogger("httpx").warning("worth saying")
    assert "worth saying" in capsys.readouterr().err


def test_a_record_that_cannot_be_formatted_is_not_printed_with_its_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = logged(capsys, "console", lambda: logging.getLogger("theirs").warning("%d callers", "+15550100001"))
    assert "5550100001" not in told


@pytest.mark.parametrize(("level", "told"), [("INFO", 0), ("DEBUG", 1)])
def test_the_level_is_the_operators_choice(capsys: pytest.CaptureFixture[str], level: str, told: int) -> None:
    said = logged(capsys, "json", lambda: structlog.get_logger("ours").debug("detail"), level)
    assert said.count("detail") == told


def test_nothing_is_written_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    configure("console")
    structlog.get_logger("ours").error("trouble")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "trouble" in captured.err
    assert not sys.stderr.isatty()


def test_the_audits_head_is_told_whatever_the_level_and_nothing_else_is(capsys: pytest.CaptureFixture[str]) -> None:
    head = "12:" + "0f3c2a9b1d" * 6 + "0000"

    def say() -> None:
        structlog.get_logger("bot.other").info("audit_head_like", head="13")
        structlog.get_logger(AUDIT_HEAD).info("audit_head", head=head)

    (line,) = logged(capsys, "json", say, "ERROR").splitlines()
    assert json.loads(line)["head"] == head


def test_a_question_that_is_asked_again_is_one_short_line_and_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    def ask() -> None:
        for attempt in stamina.retry_context(on=OSError, attempts=2, wait_initial=0.0, wait_max=0.0, wait_jitter=0.0):
            with attempt:
                if attempt.num == 1:
                    raise OSError("no answer in time from +15550100001")

    told = json.loads(logged(capsys, "json", ask))
    assert told["event"] == "asking_again"
    assert told["why"] == "no answer in time from •••"
    assert (told["after_seconds"], told["tries"], told["level"]) == (0.0, 1, "info")
    assert "args" not in told
    assert logged(capsys, "console", ask, level="WARNING") == ""
