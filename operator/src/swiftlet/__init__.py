"""Swiftlet: fine-tuning, evaluation and serving of language models as Kubernetes resources."""

__version__ = "0.1.0"
