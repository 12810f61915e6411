"""Serving engines: what a document may say to each, and what has to be known of it before it starts."""
