"""Receive what Slack sends: HTTP and Socket Mode, verified, bounded, and handed to a listener one way."""
