"""Bad nights to try the bot on, one click or one command each: the same are tests.

``table`` has them: what is going on, what fails, who does what, and what must be true in the end. ``gestures`` are the
things people and machines do in them, ``scene`` plays one. None of them reads the bot's sentences: they look at
buttons, and at what VoIPBIN received and what became of it.
"""
