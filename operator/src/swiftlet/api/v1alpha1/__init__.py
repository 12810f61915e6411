"""Version v1alpha1: the one that is stored, and that everything else is written in."""
