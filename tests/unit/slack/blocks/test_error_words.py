"""Each error in words: what happened, what was done, what to do; and nothing that was not meant to be read."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows import errors
from bot.activeflows.errors import BotError
from bot.activeflows.model import Action, Activeflow, Reference, Status
from bot.activeflows.operators import Decision, Permission
from bot.slack.blocks.error_words import explained, incident, places, root_of, still_working
from bot.slack.messaging.messenger import checked

NOW = datetime(2026, 11, 22, 12, 3, 10, tzinfo=UTC)
ENDED = Activeflow(
    id=UUID("3c5b0f6e-2f7c-4b0e-9d7b-0d8a4f7e1a11"),
    customer_id=None,
    flow_id=None,
    status=Status.ENDED,
    reference=Reference("call", UUID(int=7)),
    current=Action(UUID(int=2)),
    created_at=NOW,
)
REFUSED = Decision(
    allowed=False, permission=Permission.STOP, because="not from this channel (grant 2 would allow “stop” elsewhere)",
    who_may=("U0ALICE", "S0ONCALL"), channels=("C0INCIDENTS",),
)  # fmt: skip
UNNAMED = Decision(allowed=False, permission=Permission.STOP, because="no “stop” permission", unnamed=True)
NAMELESS = Decision(allowed=False, permission=Permission.STOP, because="the policy gives nobody any permission")

SAID = [
    (errors.NotUnderstood("there is no “lits”", "list"), ["did not understand", "`/flows list`"]),
    (
        errors.NotPermitted(REFUSED),
        ["can't stop activeflows from this channel. Use <#C0INCIDENTS>.", "Nothing was done"],
    ),
    (errors.NotPermitted(REFUSED), ["<@U0ALICE>", "<!subteam^S0ONCALL>"]),
    (errors.NotPermitted(UNNAMED), ["You don't have permission to stop activeflows.", "looks after this bot"]),
    (errors.NotPermitted(NAMELESS), ["gives nobody any permission", "looks after this bot"]),
    (errors.NotFound("3c5b", "the last 65 min were read"), ["`3c5b`", "The last 65 min were read."]),
    (errors.Ambiguous("3c5b", [ENDED, ENDED]), ["more than one", str(ENDED.id), "<!date^1795348990^"]),
    (errors.NotOurs(ENDED.id), ["another customer"]),
    (errors.NothingToStop(ENDED), ["has already ended"]),
    (errors.VoIPBINUnreachable("no answer in 5 s", "r1"), ["cannot be reached", "Nothing was stopped", "`r1`"]),
    (errors.VoIPBINBusy("429", "r1", 12.4), ["in 12 s", "Nothing was stopped"]),
    (errors.CredentialRejected("401"), ["credential", "Nothing was stopped"]),
    (errors.AccountFrozen("403"), ["frozen", "Nothing was stopped"]),
    (
        errors.AccountNotSetUp("of staging"),
        ["not set up for the VoIPBIN account", "Nothing was stopped", "nothing was sent"],
    ),
    (errors.PaymentDue("402", "r1"), ["paid", "Nothing was stopped", "`r1`"]),
    (errors.StateConflict("409", "r1"), ["state it is in", "Nothing was stopped", "`r1`"]),
    (errors.VoIPBINBroken("500", "r1"), ["error of its own", "Nothing was stopped", "`r1`"]),
    (errors.StopUnconfirmed("lost", "r1"), ["not known yet", "Look at the activeflow again", "`r1`"]),
    (errors.IdentityUnknown("timeout"), ["who you are", "Nothing was stopped"]),
    (errors.SlackRefuses("token_revoked"), ["Slack", "Nothing was stopped"]),
    (errors.TooManySearches(20, datetime(2026, 11, 22, 12, 3, 10, tzinfo=UTC)), ["20"]),
    (errors.LedgerUnavailable("disk full"), ["Without a record I stop nothing", "Nothing was stopped"]),
]


@pytest.mark.parametrize(("error", "expected"), SAID, ids=lambda value: type(value).__name__)
def test_every_error_says_what_happened_what_was_done_and_what_to_do(error: BotError, expected: list[str]) -> None:
    message = explained(error, command="/flows")
    text, drawn = checked(message.text, message.blocks)
    for words in expected:
        assert words in text + str(drawn)


def test_no_class_of_error_is_left_without_words_of_its_own() -> None:
    def below(kind: type[BotError]) -> set[type[BotError]]:
        return {kind}.union(*(below(sub) for sub in kind.__subclasses__()))

    assert below(BotError) - {BotError, errors.Refusal, errors.Failure} == {type(error) for error, _ in SAID}


def test_only_a_stop_whose_answer_was_lost_leaves_open_whether_it_was_done() -> None:
    for error, _ in SAID:
        text = explained(error).text
        certain = "Nothing was" in text or isinstance(error, errors.NotUnderstood)
        assert certain is not isinstance(error, errors.StopUnconfirmed)


@given(st.text(), st.text())
def test_what_was_typed_comes_back_harmless(typed: str, meant: str) -> None:
    for error in (errors.NotUnderstood(typed, meant), errors.NotFound(typed, meant), errors.Ambiguous(typed, [])):
        message = explained(error)
        assert not set("<>") & set(message.text)
        checked(message.text, message.blocks)


def test_a_bug_gets_a_number_and_its_places_without_its_values() -> None:
    def inner() -> None:
        raise KeyError("+15550100001")

    def outer() -> None:
        try:
            inner()
        except KeyError as cause:
            raise RuntimeError("token xoxb-1") from cause

    with pytest.raises(RuntimeError) as caught:
        outer()
    found, message = places(caught.value), incident(caught.value, user="U0ALICE")
    assert any(place.endswith(" inner") for place in found)
    assert [place for place in found if ":" not in place] == ["KeyError", "RuntimeError"]
    assert "+1555" not in str(found) + message.text
    assert "xoxb" not in str(found) + message.text
    assert "incident `" in message.text


def test_an_error_inside_groups_is_found() -> None:
    ours = errors.NotFound("3c5b")
    assert root_of(ExceptionGroup("a", [ValueError(), ExceptionGroup("b", [ours])])) is ours
    assert root_of(ours) is ours
    assert isinstance(root_of(ExceptionGroup("a", [ValueError(), KeyError()])), ValueError)


def test_waiting_is_said_with_what_is_being_done() -> None:
    assert still_working("reading").text == "Still working on it: reading. The answer follows."
    assert still_working("").text == "Still working on it. The answer follows."
