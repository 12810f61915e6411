"""Serving a model and its adapters: engines, and the parent process that watches them."""
