"""A training in the window: followed while it goes on, scrubbed through, its curves."""
