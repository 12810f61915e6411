"""What methods that compare two answers to a prompt have in common."""
