"""Serving engines as the planners see them."""
