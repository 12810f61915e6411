"""Direct preference optimization: pairs of answers beside a reference."""
