"""The recipes that can be named, ours and the published ones; imported when they are asked for."""
