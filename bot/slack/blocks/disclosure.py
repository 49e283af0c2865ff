"""Draw who calls, who is called, and what was said, in full, for one person's eyes."""

from bot.activeflows.model import Activeflow, Party, Spoken
from bot.activeflows.queries.disclosure import Revealed
from bot.slack import ids, kit
from bot.slack.blocks import row_buttons
from bot.slack.blocks.mrkdwn import code, date_token, escaped, plain
from bot.slack.messaging.messenger import Message

NOT_HERE = Message("Reveal works only in a message that only you see. Show the activeflow again. Nothing was shown.")
NOT_RECORDED = Message("This could not be recorded, so nothing is shown. Tell whoever looks after this bot.")
NOT_SHOWN = Message("I could not show it to you alone, so nothing was shown. Your request is recorded.")


def reveal(activeflow: Activeflow, flow_name: str | None) -> kit.Element:
    """*Reveal*: the caller and the texts, to the presser alone, after a word of warning."""
    return kit.button(
        "Reveal",
        ids.REVEAL,
        ids.encode_activeflow(activeflow.id),
        label=f"Reveal caller of {plain(row_buttons.name_of(flow_name), 40)} {activeflow.short_id}",
        confirm=kit.confirm(
            "Reveal the caller?",
            "Shows caller, called party and texts to you alone. It is recorded with your name.",
            yes="Reveal",
            no="Cancel",
        ),
    )


def revealed(shown: Revealed) -> Message:
    """To be told to one person, and only as a message that is not kept."""
    lines = [*_parties(shown), *_texts(shown.spoken)]
    small = f"Only you see this · recorded with your name, receipt {code(shown.receipt, 20)} · as of {date_token(shown.as_of)}"
    blocks = [
        kit.header(f"Unmasked: {shown.activeflow.short_id}"),
        *(kit.section(line) for line in lines),
        kit.context(small),
    ]
    return Message(" ".join([f"Unmasked, {shown.activeflow.short_id}.", *lines, small]), tuple(blocks))


def _parties(shown: Revealed) -> list[str]:
    if shown.call is None:
        is_call = shown.activeflow.reference.is_call
        return ["VoIPBIN no longer has its call." if is_call else "It runs for no call."]
    return [f"*Caller*: {_party(shown.call.source)}", f"*Called*: {_party(shown.call.destination)}"]


def _party(party: Party) -> str:
    kind = f" ({escaped(party.type, 40)})" if party.type else ""
    name = f", {escaped(party.name, 150)}" if party.name else ""
    return f"{code(party.target, 300, empty='unknown')}{kind}{name}"


def _texts(spoken: tuple[Spoken, ...]) -> list[str]:
    """One each, so that a long one is cut alone."""
    if not spoken:
        return ["None of its steps speaks a text."]
    return [f"*{'Speaking now' if one.current else 'Spoke'}*: {escaped(one.text, 1000)}" for one in spoken]
