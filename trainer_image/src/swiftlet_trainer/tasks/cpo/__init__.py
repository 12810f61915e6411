"""Contrastive preference optimization: pairs of answers without a reference."""
