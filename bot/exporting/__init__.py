"""Documents as files that other programs open: Markdown, HTML and Word."""
