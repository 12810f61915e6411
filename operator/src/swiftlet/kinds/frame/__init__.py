"""What a reconciler is given and what it decides: readings, capabilities, outcomes, events, progress."""
