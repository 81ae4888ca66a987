"""The mode in which a document is written from a template, section by section, with the people of a conversation."""
