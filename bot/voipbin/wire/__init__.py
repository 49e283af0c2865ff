"""Read VoIPBIN's JSON: bytes in, values out."""
