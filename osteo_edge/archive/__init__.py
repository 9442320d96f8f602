"""Screening a whole archive of films: sources, engines and results."""
