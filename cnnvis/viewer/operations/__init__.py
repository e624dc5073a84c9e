"""Single operations of the network that is open, in numbers."""
