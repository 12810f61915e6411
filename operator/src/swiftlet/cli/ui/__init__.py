"""`swiftlet ui`: what the commands print, as a page."""
