"""What a model costs beside its latency: memory, energy, size, operators, and the steps around it."""
