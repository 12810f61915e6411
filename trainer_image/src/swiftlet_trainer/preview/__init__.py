"""What a run would learn from its first rows, token by token, before anything trains."""
