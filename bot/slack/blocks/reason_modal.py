"""Draw the modal that asks why, with the consequences above the field.

https://docs.slack.dev/reference/views/modal-views
"""

from typing import Any

from slack_sdk.models.blocks import InputBlock, MarkdownTextObject, PlainTextInputElement, PlainTextObject, SectionBlock

from bot.activeflows.stopping.stop import Intent
from bot.slack import ids
from bot.slack.blocks.mrkdwn import bold, code, escaped
from bot.slack.blocks.row_buttons import name_of


def reason_modal(intent: Intent, word: str) -> dict[str, Any]:
    """``word`` stands for the press; it is all the modal carries."""
    effects = "\n".join(f"• {escaped(effect, 300)}" for effect in intent.seen.consequences)
    name = name_of(intent.seen.flow_name)
    about = f"{bold(name, 150)}  {code(intent.short_id)}\n{escaped(intent.seen.words, 400)}"
    return {
        "type": "modal",
        "callback_id": ids.REASON,
        "private_metadata": word,
        "title": PlainTextObject(text="Why stop it?"),
        "submit": PlainTextObject(text="Stop flow"),
        "close": PlainTextObject(text="Do not stop"),
        "blocks": [
            SectionBlock(text=MarkdownTextObject(text=about)),
            SectionBlock(text=MarkdownTextObject(text=f"*What stopping it does*\n{effects}")),
            InputBlock(
                block_id=ids.REASON,
                label="Reason, for everybody in the channel and for the record",
                element=PlainTextInputElement(action_id=ids.REASON, max_length=500, focus_on_load=True),
            ),
        ],
    }
