"""Processes: torchrun's environment, strategies, agreement between ranks."""
