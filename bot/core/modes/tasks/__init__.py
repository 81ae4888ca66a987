"""The mode in which a persona carries out a task, one step at a time."""
