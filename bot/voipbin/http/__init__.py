"""Ask VoIPBIN one question: credential, budget, retries, and what an answer means."""
