"""Single figures of a bundle, held to bounds: its size, its cold start, its activation map, and how it answers."""
