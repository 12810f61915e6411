"""What a run leaves behind: weights, tokenizer and a manifest that names every byte."""
