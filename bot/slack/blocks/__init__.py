"""Draw what the bot says: pure functions from an outcome to a ``Message``; one screen, one file."""
