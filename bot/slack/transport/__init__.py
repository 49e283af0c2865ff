"""Receive what Slack sends: HTTP and Socket Mode, verified, bounded, and handed to Bolt one way."""
