"""What a forward pass of training returns: one file for each head on the same backbone."""
