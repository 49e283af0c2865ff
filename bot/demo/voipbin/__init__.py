"""The simulated VoIPBIN: activeflows run, calls are hung up and answers get lost, behind the real API's wire.

State first (`state`, `records`, `inventory`, `clock`), then what happens to it (`life`, `world`), then its translation
to HTTP (`wire`, `errors`, `endpoint`, `routes`, `event_stream`, `faults`, `api`); `town` is the demo's world. It knows
nothing of the bot: a mistake must not be made twice.
"""
