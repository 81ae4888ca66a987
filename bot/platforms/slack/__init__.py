"""Slack: what arrives and what goes out, as functions; its client and its listeners beside them."""
