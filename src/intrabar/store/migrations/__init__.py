"""How the tables came to be: one file a step, each of which only adds."""
