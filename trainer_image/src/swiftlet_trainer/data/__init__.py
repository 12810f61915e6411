"""From data files to tokens: readers, formats, checks, preparation, packing."""
