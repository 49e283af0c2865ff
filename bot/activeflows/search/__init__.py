"""Find activeflows by what a person knows: a number, an id, a name, a word."""
