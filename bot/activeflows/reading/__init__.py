"""Looking without touching: the list, one activeflow in detail, the Home of a person, the record of who did what."""
