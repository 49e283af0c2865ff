"""Say what an activeflow is doing now, and what it did: pure, read from its own steps."""
