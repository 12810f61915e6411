"""Model folders: import, checks, tokenizers."""
