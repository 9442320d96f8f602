"""Bundles to figures: what a model costs and what conversion lost."""
