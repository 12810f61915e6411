"""Simple preference optimization: mean log-probabilities of pairs of answers, without a reference."""
