"""Keep cards that follow one activeflow until it ends."""
