"""Whatever VoIPBIN sends: never an exception, never an empty line, never anything that may not be shown."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import FINISH_ID, START_ID, Action, Activeflow, Flow, Reference, Status
from bot.activeflows.situation.actions import WORDS
from bot.activeflows.situation.current_step import queues_named, situation
from bot.activeflows.situation.history import step_history

SECRET = "Sq7-hidden"
IDS = st.sampled_from([UUID(int=100 + n) for n in range(12)])
KEYS = st.sampled_from(
    ["queue_id", "flow_id", "language", "key", "length", "duration", "destinations", "reason", "assistance_type",
     "stream_urls", "text", "variable", "host", "method", "status", "name"]
)  # fmt: skip
HIDDEN = st.sampled_from([SECRET, f"+15550{SECRET}", f"{SECRET}-en", "https://media.example.net/" + SECRET])
VALUES = st.one_of(HIDDEN, st.integers(), st.booleans(), IDS.map(str), st.just("en-GB"))
ACTIONS = st.builds(
    Action, IDS, st.one_of(st.sampled_from(sorted(WORDS)), st.text(max_size=5)), st.dictionaries(KEYS, VALUES)
)
OPENERS = st.sampled_from(["queue_join", "connect", "ai_talk", "ai_task", "conference_join", "fetch", "fetch_flow"])
BUSY = st.builds(
    Action, IDS, st.one_of(OPENERS, st.sampled_from(["confbridge_join", "block", "empty", "play", "talk"]))
)
ANY = st.one_of(ACTIONS, BUSY)
FLOWS = st.none() | st.builds(Flow, st.just(UUID(int=77)), st.just("Support"), st.frozensets(IDS))


@st.composite
def activeflows(draw: st.DrawFn) -> Activeflow:
    markers = st.sampled_from([Action(START_ID), Action(FINISH_ID), Action(UUID(int=3))])
    return Activeflow(
        id=UUID(int=1234),
        customer_id=None,
        flow_id=UUID(int=77),
        status=draw(st.sampled_from(Status)),
        reference=Reference(draw(st.sampled_from(["call", "conversation", "", "brand_new"]))),
        current=draw(st.one_of(ANY, markers)),
        executed=tuple(draw(st.lists(st.one_of(ANY, markers), max_size=25))),
    )


@given(activeflows(), FLOWS)
def test_there_is_always_one_short_line(activeflow: Activeflow, flow: Flow | None) -> None:
    told = situation(activeflow, flow=flow)
    assert told.kind
    assert told.words
    assert told.words == " ".join(told.words.split())
    assert len(told.words) < 200
    assert len(queues_named(activeflow, flow=flow)) <= len(activeflow.executed) + 1


@given(activeflows(), FLOWS)
def test_no_option_value_outside_the_list_is_ever_said(activeflow: Activeflow, flow: Flow | None) -> None:
    told = situation(activeflow, flow=flow)
    history = " ".join(done.words for done in step_history(activeflow))
    assert SECRET not in f"{told} {history}"


@given(activeflows(), FLOWS)
def test_the_kind_depends_on_no_name_and_no_option(activeflow: Activeflow, flow: Flow | None) -> None:
    named = situation(activeflow, flow=flow, name_of=lambda _: "Some name")
    assert named.kind == situation(activeflow, flow=flow).kind


@given(activeflows(), FLOWS)
def test_a_step_of_the_flow_itself_is_inside_of_nothing(activeflow: Activeflow, flow: Flow | None) -> None:
    told = situation(activeflow, flow=flow)
    fits = flow is not None and all(a.id in flow.action_ids for a in activeflow.executed if a.id != START_ID)
    if fits and flow is not None and activeflow.current.id in flow.action_ids:
        assert (told.openers, told.certain) == ((), True)


@given(activeflows())
def test_without_the_definition_nothing_is_said_for_sure_about_a_step_never_seen_before(activeflow: Activeflow) -> None:
    """Except right behind what opened it, and for the queue's own steps."""
    told = situation(activeflow)
    before = [a for a in activeflow.executed if a.id not in {START_ID, FINISH_ID}]
    current = activeflow.current
    fresh = all(a.id != current.id for a in before) and current.id not in {START_ID, FINISH_ID}
    if told.kind == "queue.waiting" and fresh and current.type in {"play", "talk", "digits_receive"}:
        assert "probably" in told.words or activeflow.ended


@given(st.integers(1, 25), st.integers(0, 3), st.booleans())
def test_every_lap_of_a_queue_is_counted_whatever_it_is_made_of(laps: int, steps: int, known: bool) -> None:
    """``steps`` actions in the wait flow, now at the beginning of lap number ``laps``."""
    join, fetch, empty = (Action(UUID(int=n), t) for n, t in ((10, "queue_join"), (11, "fetch_flow"), (12, "empty")))
    wait = [Action(UUID(int=20 + n), "play") for n in range(steps)]
    executed = [Action(START_ID), join, *([fetch, *wait, empty] * (laps - 1))]
    activeflow = Activeflow(
        UUID(int=1), None, UUID(int=77), Status.RUNNING, Reference("call"), fetch, tuple(executed)
    )  # fmt: skip
    told = situation(activeflow, flow=Flow(UUID(int=77), "Line", frozenset({join.id})) if known else None)
    assert told.kind == "queue.waiting"
    assert told.certain
    assert told.words.startswith("waiting in a queue")
    assert (f", {laps}" in told.words) == (laps > 1)
