"""Discord, over discord.py: nothing outside of this package knows its types."""
