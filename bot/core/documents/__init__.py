"""Documents and what they are written from: templates, drafts, parts. Pure values and functions."""
