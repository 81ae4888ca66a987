"""Greenroom in a terminal: a chat on a screen, or one message a line through a pipe."""
