"""How files of bars are taken apart: containers, text, JSON, names of columns, numbers, dates."""
