"""The life of one stop: asked for, pressed, sent once, read back, told, and what comes of it."""
