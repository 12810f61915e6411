"""Reward models: a score of conversations, learnt from pairs of answers."""
