"""Speak Slack: receive deliveries, decode interactions, reply, and keep the cards true."""
