"""How things are written on a terminal: tables, figures, ages, JSONPath, views of progress."""
