"""Latency, and whether to trust it: fresh processes that take turns, the fastest way to run, and a check of that."""
