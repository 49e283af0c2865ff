"""Read what people type. ``table`` has the commands; help is drawn from it."""
