"""The survey in the window: averages of all channels, groups, and images passing through."""
