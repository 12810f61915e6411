"""What methods that score texts have in common."""
