"""Short answers that stand alone: refusals, troubles, what is not known any more, and the forms."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import UUID

from bot.activeflows.queries.inspection import ShownState
from bot.activeflows.records import Head
from bot.activeflows.stopping.stop import Intent, Press, PressKind
from bot.slack import kit
from bot.slack.blocks import activeflow_details
from bot.slack.blocks.audit_list import audit_head
from bot.slack.blocks.declined import stuck_press
from bot.slack.blocks.error_words import BUSY, CLOSING, explained, still_working
from bot.slack.blocks.help import form_not_known, not_known, not_understood
from bot.slack.blocks.picker import stop_form
from bot.slack.cards.stop_card import reason_modal
from bot.slack.grammar.table import NoAccount, read_account, which
from bot.slack.messaging.messenger import ADVISED, Message, marked, not_shown
from tests.unit.slack.blocks.test_disclosure import shown
from tests.unit.slack.blocks.test_error_words import SAID

NOW = datetime(2026, 11, 22, 12, 3, 10, tzinfo=UTC)


def other_screens(words: str) -> Iterator[Message]:
    """Each of them once."""
    yield from (explained(error, command="/flows") for error, _ in SAID)
    yield from (BUSY, CLOSING, still_working(""), still_working("reading the activeflows"))
    yield from (
        activeflow_details.revealed(shown(words)),
        activeflow_details.revealed(shown(words, call=False, texts=0)),
    )
    yield from (activeflow_details.NOT_HERE, activeflow_details.NOT_RECORDED, activeflow_details.NOT_SHOWN)
    for kind in ("command", "shortcut", "block_actions"):
        yield not_known(kind, "/flow", "/flows")
    yield not_known("block_actions", "list.refresh@staging", "/flows")
    yield Message(form_not_known("/flows"))
    yield from _of_accounts()
    yield audit_head(Head(12, "0f3c2a9b1d" * 6), date(2026, 11, 22))
    for wish in PressKind:
        press = Press("a" * 32, "U0ALICE", "T0TEAM", "C0INCIDENTS", "1.3", NOW, wish)
        for untouched in (True, False):
            yield from (stuck_press(press, NOW, untouched=untouched, incident=number) for number in ("", "0f3c2a9b"))
    for error in (*ADVISED, "lost", "some_other_word"):
        yield Message(not_shown("The stop card", error, again="ask again"))


def forms(words: str) -> Iterator[kit.View]:
    """The modal that asks why, and the one that asks what to stop and where."""
    seen = ShownState(
        words, "digits", words, ("Hangs up on the caller.", "Cannot be undone."), words, None, words, None, NOW
    )
    yield reason_modal(Intent("a" * 32, UUID(int=1), None, seen, "U0ALICE", "C0INCIDENTS", words, NOW, NOW), "word")
    yield stop_form()


def _of_accounts() -> Iterator[Message]:
    """What is said where there are several VoIPBIN accounts."""
    accounts = ("prod", "staging")
    for line in ("list account:stagin", "list account:nowhere"):
        try:
            read_account(line, accounts)
        except NoAccount as none:
            yield not_understood(none.refusal, command=f"/flows account:{none.meant}")
    yield not_understood(which(accounts).refusal, command="/flows account:prod")
    header, section = kit.header("Stop Support line?"), kit.section("Nothing is stopped yet.")
    yield Message(*marked("staging", "Stop Support line?", (header, section)))
