"""flows-bot: see and stop VoIPBIN activeflows from a Slack incident channel.

The map. Rooms are named after who lives there; what comes in changes its clothes at a door, and never inside::

                              demo                      the model: a simulated VoIPBIN and Slack, a page to click in
                                │
                    __main__ ── composition             the command line, and the one place that builds clients
                                │
       ┌──────────┬─────────────┼────────┬──────────┐
     slack     voipbin       ledger    policy   settings, logs
    the front  the back    the cellar  who may
      door       door
       └──────────┴─────────────┼────────┘
                                │
                           activeflows                  the middle: what an operator does, in VoIPBIN's words

Imports look down, never up and never sideways.

- ``activeflows`` decides. It uses the standard library only, and names what it needs from outside in ``ports``.
- ``slack`` knows Slack: it takes deliveries, decodes a gesture once, reads what was typed, draws, and tells.
- ``voipbin`` knows VoIPBIN's HTTP API: a budget, patience, at most one stop, JSON to model.
- ``ledger`` keeps what outlives the process: the audit chain, the stops, the watches, the alerts, the durable work.
- ``policy`` reads who may do what, and keeps the last good reading in force; ``settings`` every variable, once; ``logs`` writes without secrets. What is wrong
  with any of them is ``misconfigured``.
- ``terminal`` asks the audit and the policy on a terminal; ``upkeep`` is what a running bot does by itself: it follows its
  policy file, and tells the audit's head once a day.
- ``composition`` puts the rooms together, ``carrying_out`` that part which carries out presses, ``watching_over`` that which
  follows the watched activeflows, ``raising_alerts`` that which posts what is wrong, ``doctoring`` that which looks whether
  all is well (each room's ``health`` knows its own). It and the demo's own composition are all that reads the settings.
- ``begin`` loads the program, and ``until_told`` runs it until somebody says to end.
- ``demo`` is the same bot with its addresses pointed at simulators that share no code with it.

The walls are contracts in ``pyproject.toml``: a module in the wrong place, or in none, fails the build.
"""
