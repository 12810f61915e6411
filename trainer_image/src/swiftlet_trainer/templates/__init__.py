"""From a conversation to text and the spans of it that are learnt, by the model's own chat template."""
