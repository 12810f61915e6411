"""Rerankers: a score of a query and a document, read together."""
