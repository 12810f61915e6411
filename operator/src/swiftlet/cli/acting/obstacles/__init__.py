"""What of a cluster stands against the objects that a plan creates: pure, from what was read."""
