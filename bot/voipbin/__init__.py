"""Speak VoIPBIN's HTTP API and its event stream (https://api.voipbin.net/docs/).

::

    connection    connected(): one HTTP client, kept open, and the client below on top of it
    client        the middle's port: picture, activeflow, stop, flow, call, queue_name     in_bulk   the same, less urgent
    following     what runs, kept in memory          stream          the events       running   read for what runs
    past          the events of one activeflow       timelines       read for when it stood where
    calls         those that have a number: the one place where one is compared
    scan, windows, paging   the walk through a list  names, flight   asked once, remembered a while
    exchange      one question and its answer        patience        when it is asked again
    credential    who the bot is                     budget          how often it may ask, and who goes first
    errors        what a refusal means               wire, decoding, shapes, options, instants   JSON to model

``AccessKey``, ``InBulk``, ``Login``, ``Urgency``, ``VoIPBINClient`` and ``connected`` are what the composition root needs.
"""

from bot.voipbin.client import VoIPBINClient
from bot.voipbin.connection import connected
from bot.voipbin.http.budget import Urgency
from bot.voipbin.http.credential import AccessKey, Login
from bot.voipbin.http.retries import Patience
from bot.voipbin.live.following import Following
from bot.voipbin.live.pace import Pace
from bot.voipbin.live.scan import Bounds
from bot.voipbin.low_urgency import InBulk

__all__ = [
    "AccessKey",
    "Bounds",
    "Following",
    "InBulk",
    "Login",
    "Pace",
    "Patience",
    "Urgency",
    "VoIPBINClient",
    "connected",
]
