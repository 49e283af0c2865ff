"""Simulate Slack and VoIPBIN, and show the bot between them in a browser: ``flows-bot demo``.

``slack`` and ``voipbin`` know neither the bot nor each other, so that a mistake of the bot is not made twice; tests use
them, too. ``__main__`` runs the bot between them, ``cast`` fills them, ``page`` and ``panel`` are what the browser
shows, troubles to switch on among it, ``scenarios`` bad nights that play by themselves.
"""
