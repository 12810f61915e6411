"""Classes of texts, or figures of them."""
