"""Cards that follow one activeflow until it ends."""
