"""Read without changing: the list, one activeflow, a person's Home, the record of who did what."""
