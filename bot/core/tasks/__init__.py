"""Tasks: their steps and gates, read from what their authors wrote."""
