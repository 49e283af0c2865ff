"""Speak VoIPBIN's HTTP API and follow its event stream (https://api.voipbin.net/docs/).

::

    connection    open one HTTP client, kept open, and build ``client`` on it
    client        read what runs, one activeflow, flows, calls and queues; send a stop or a hang-up
    lists         find the calls that have a number, campaigns that dial, and flows that numbers lead to
    name_cache    names of flows and queues, remembered a while
    health        tell the doctor whether VoIPBIN answers, and how long the access key is good for
    metrics       what is counted and measured of all this
    http/         one request and its answer: credential, budget, retries, errors
    wire/         JSON to the model: what may be shown, and nothing else
    live/         what runs now: event stream, walk through the list, and the index that both keep right
"""

from bot.voipbin.client import VoIPBINClient
from bot.voipbin.connection import connected
from bot.voipbin.http.budget import Urgency
from bot.voipbin.http.credential import AccessKey, Login, NotSetUp
from bot.voipbin.http.exchange import RequestPauses
from bot.voipbin.live.live_index import IndexPace, LiveIndex
from bot.voipbin.live.scan import WalkBounds

__all__ = [
    "AccessKey",
    "IndexPace",
    "LiveIndex",
    "Login",
    "NotSetUp",
    "RequestPauses",
    "Urgency",
    "VoIPBINClient",
    "WalkBounds",
    "connected",
]
