"""Commands that read: get, describe, logs, events, compare, and what a state folder holds."""
