"""Whose a child is: names, labels, annotations and owner references."""
