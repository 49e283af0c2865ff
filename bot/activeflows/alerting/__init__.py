"""What is said by itself, once, where the policy wants to be told."""
