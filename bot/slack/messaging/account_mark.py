"""Say on everything that leaves which VoIPBIN account it is about, where there are several.

What an account says begins with its name, and each button and form in it carries the name behind its id: a press leads back to the
parts of that account, whoever drew the button and whatever the channel's account is by then. Decision: here, at the way out, so
that no screen can forget it. Where there is one account, nothing is added.
"""

from collections.abc import Sequence
from typing import Final

from bot.slack import kit

_AT: Final = "@"


def marked_id(id_: str, account: str) -> str:
    """The id of a button or form, of this account."""
    return f"{id_}{_AT}{account}" if account and _AT not in id_ else id_


def account_of(id_: str) -> str:
    """The other way round; empty where none is said."""
    return id_.partition(_AT)[2]


def marked(account: str, text: str, blocks: Sequence[kit.Block]) -> tuple[str, tuple[kit.Block, ...]]:
    """A message with its account."""
    if not account:
        return text, tuple(blocks)
    return f"{account} · {text}", _marked_blocks(account, blocks)


def marked_view(account: str, view: kit.View) -> kit.View:
    """A modal or a Home with its account."""
    if not account:
        return view
    there = {**view, "blocks": list(_marked_blocks(account, view["blocks"]))}
    if view.get("callback_id"):
        there["callback_id"] = marked_id(view["callback_id"], account)
    return there


def _marked_blocks(account: str, blocks: Sequence[kit.Block]) -> tuple[kit.Block, ...]:
    drawn = [kit.with_action_ids(block, lambda id_: marked_id(id_, account), account) for block in blocks]
    for place, block in enumerate(drawn):
        labelled = kit.labelled(block, account)
        if labelled is not None:
            drawn[place] = labelled
            return tuple(drawn)
    return (kit.context(f"*{account}*"), *drawn) if drawn else ()
