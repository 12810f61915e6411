"""Supervised fine-tuning: the next token of answers, or of all text."""
