"""flows-bot: see and stop VoIPBIN activeflows from a Slack incident channel.

The map. Rooms are named after who lives there; what comes in changes its clothes at a door, and never inside::

               command_line, terminal        demo       what is typed in a shell; simulators, and a page to click in
                          └────────┬──────────┘
                              composition               the one place that builds clients, and knows every room
                                   │
         ┌──────────┬──────────────┼────────┬──────────┐
       slack     voipbin        ledger    policy   settings, logs
      the front  the back     the cellar  who may
        door       door
         └──────────┴──────────────┼────────┘
                                   │
                              activeflows               the middle: what an operator does, in VoIPBIN's words

Imports look down, never up and never sideways.

- ``activeflows`` decides. It uses the standard library only, and names what it needs from outside in ``ports``.
- ``slack`` knows Slack: it takes deliveries, decodes a interaction once, reads what was typed, draws, and tells.
- ``voipbin`` knows VoIPBIN's HTTP API: a budget, patience, at most one stop, JSON to model.
- ``ledger`` keeps what outlives the process: the audit chain, the stops, the watches, the alerts, the durable work.
- ``policy`` reads who may do what, and keeps the last good reading in force; ``settings`` is every variable, once; ``logs``
  writes without secrets. What is wrong with any of them is ``misconfigured``. Each room's ``health`` knows its own.
- ``composition`` puts the rooms together and runs them; it, ``command_line`` and the demo are all that reads the settings.
- ``command_line`` reads what was typed after ``flows-bot``; ``terminal`` answers ``check``, ``audit`` and ``policy`` there.
- ``demo`` is the same bot with its addresses pointed at simulators that share no code with it.

The walls are contracts in ``pyproject.toml``: a module in the wrong place, or in none, fails the build.
"""
