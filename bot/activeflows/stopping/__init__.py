"""Stop an activeflow: the request, the press, the gate, the read-back, and what comes of it."""
