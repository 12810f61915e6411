"""One module per subcommand: `add_parser` is light, `run` imports what it needs."""
