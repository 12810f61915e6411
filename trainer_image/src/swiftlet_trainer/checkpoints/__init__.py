"""What survives a restart: atomic, verified, kept by count."""
