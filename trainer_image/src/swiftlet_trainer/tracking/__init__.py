"""Experiment trackers (training.reportTo): each is fed by a process of its own beside the training processes."""
