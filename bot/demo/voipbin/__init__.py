"""The simulated VoIPBIN: a world in which activeflows run, calls are hung up and answers get lost, behind the real
API's wire.

State first (`state`, `records`, `clock`), then what happens to it (`telephony`, `life`, `world`), then its translation
to HTTP (`wire`, `errors`, `auth`, `limits`, `faults`, `api`). It knows nothing of the bot: a mistake must not be made
twice.
"""
