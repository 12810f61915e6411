"""Pre-training, continued: the next token of texts."""
