"""What people type, and what it means. ``table`` has the commands; help is drawn from it."""
