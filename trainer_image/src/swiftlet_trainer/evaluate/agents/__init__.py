"""What an agent's turn is worth: whether it calls the right tools, with the right arguments, and when it should."""
