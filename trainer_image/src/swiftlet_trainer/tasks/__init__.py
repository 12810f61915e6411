"""What is learnt from, one folder per method."""
