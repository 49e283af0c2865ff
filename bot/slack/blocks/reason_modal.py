"""Draw the modal that asks why, with the consequences above the field.

https://docs.slack.dev/reference/views/modal-views
"""

from bot.activeflows.stopping.stop import Intent
from bot.slack import ids, kit
from bot.slack.blocks.mrkdwn import bold, code, escaped
from bot.slack.blocks.row_buttons import name_of


def reason_modal(intent: Intent, word: str) -> kit.View:
    """``word`` stands for the press; it is all the modal carries."""
    effects = "\n".join(f"• {escaped(effect, 300)}" for effect in intent.seen.consequences)
    name = name_of(intent.seen.flow_name)
    about = f"{bold(name, 150)}  {code(intent.short_id)}\n{escaped(intent.seen.words, 400)}"
    return kit.modal(
        "Why stop it?",
        (
            kit.section(about),
            kit.section(f"*What stopping it does*\n{effects}"),
            kit.field(ids.REASON, "Reason, for everybody in the channel and for the record", longest=500),
        ),
        submit="Stop flow",
        close="Do not stop",
        callback_id=ids.REASON,
        metadata=word,
    )
