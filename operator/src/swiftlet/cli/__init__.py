"""The `swiftlet` command."""
