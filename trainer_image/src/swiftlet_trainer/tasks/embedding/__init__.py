"""Embeddings: vectors of texts, compared by their cosine."""
