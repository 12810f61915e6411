"""What is made of the types: the CRDs, defaults, validation and the reference."""
