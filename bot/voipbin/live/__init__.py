"""Know what runs: the event stream, the walk through the lists, and the index kept right by both."""
