"""How the texts of a message or a view come back in a press: with `& < >` escaped.

Seen by people who run bots and described nowhere: https://github.com/slackapi/bolt-python/issues/513. Whether values
come back so as well is not known: a team with `escapes_values` does that too, so that a bot which relies on them is
found out.
"""

from collections.abc import Mapping
from typing import Any

from bot.demo.slack.words import escaped

_PRESSED = {"button", "workflow_button", "plain_text_input"}


def returned(node: Any, *, values: bool = False) -> Any:
    """Return this part of a payload as Slack sends it back; with `values` those of buttons, options and inputs, too."""
    if isinstance(node, list | tuple):
        return [returned(item, values=values) for item in node]
    if not isinstance(node, Mapping):
        return node
    back = {key: returned(item, values=values) for key, item in node.items()}
    if node.get("type") == "plain_text" and isinstance(node.get("text"), str):
        back["text"] = escaped(node["text"])
    has_value = node.get("type") in _PRESSED or isinstance(node.get("text"), Mapping)
    if values and has_value and isinstance(node.get("value"), str):
        back["value"] = escaped(node["value"])
    return back
