"""Make what Slack sends, signed, each with a trigger of its own, before anything is timed."""

import json
from itertools import count
from typing import Any
from urllib.parse import urlencode

from bot.demo.slack.delivery import signed
from bot.slack import ids
from tests.load.town import Town

CLICK = 30_000
"""Bytes of the press."""
_TRIGGER = b"1.2.made-up"
_triggers = count(10**8)


def command(there: Town) -> bytes:
    """`/flows list`, as Slack posts it."""
    fields = {"token": "made-up", "team_id": there["team_id"], "team_domain": "harbour", "channel_id": "C0INCIDENTS"}
    fields |= {"channel_name": "incidents", "user_id": "U0ALICE", "user_name": "alice", "command": "/flows"}
    fields |= {"text": "list", "api_app_id": there["app_id"], "is_enterprise_install": "false"}
    fields |= {"response_url": there["said_url"], "trigger_id": _TRIGGER.decode()}
    return urlencode(fields).encode()


def press(there: Town) -> bytes:
    """*Refresh* under a long public list, which Slack sends back whole."""
    words = {"type": "section", "text": {"type": "mrkdwn", "text": "*Support line* `3c5b0f6d`\n" + "waiting, " * 30}}
    blocks: list[dict[str, Any]] = []
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": "U0ALICE", "username": "alice", "name": "alice", "team_id": there["team_id"]},
        "api_app_id": there["app_id"],
        "token": "made-up",
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C0INCIDENTS", "is_ephemeral": False},
        "trigger_id": _TRIGGER.decode(),
        "team": {"id": there["team_id"], "domain": "harbour"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": "C0INCIDENTS", "name": "incidents"},
        "message": {"type": "message", "ts": "1.2", "text": "Running activeflows", "blocks": blocks},
        "state": {"values": {}},
        "response_url": there["said_url"],
        "actions": [
            {"type": "button", "action_id": ids.LIST_REFRESH, "block_id": "b", "value": "1", "action_ts": "1.3"}
        ],
    }
    while len(body := urlencode({"payload": json.dumps(payload)}).encode()) < CLICK:
        blocks.append({**words, "block_id": f"b{len(blocks)}"})
    return body


def requests(there: Town, body: bytes, number: int, *, sign: bool = True) -> list[bytes]:
    """So many, never the same twice: the bot does nothing for what it was told before."""
    made = []
    for _ in range(number):
        sent = body.replace(_TRIGGER, b"1.2.%d" % next(_triggers))
        headers = {"Host": "bot", "Accept": "*/*", "Content-Length": str(len(sent))}
        headers |= signed(there["secret"], sent) if sign else {"Content-Type": "application/x-www-form-urlencoded"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        made.append(b"POST /slack/events HTTP/1.1\r\n" + lines + b"\r\n" + sent)
    return made
