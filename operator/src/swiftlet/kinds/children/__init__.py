"""Children that several kinds have."""
