"""Keep what outlives the process: the audit chain, stops, watches, alerts, and the durable workflows."""
