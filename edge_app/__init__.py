"""The point-of-care app."""
