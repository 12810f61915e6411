"""Agent templates: how tools, calls of them and their results are written as plain text, one file for each family."""
