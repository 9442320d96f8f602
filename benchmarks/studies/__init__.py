"""What the checks around a model let pass and what they refuse, over many films and other pictures."""
