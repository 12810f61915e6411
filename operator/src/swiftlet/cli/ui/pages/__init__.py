"""The page itself: the one room that knows NiceGUI."""
