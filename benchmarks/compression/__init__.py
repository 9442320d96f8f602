"""Compressed models beside the ones that they stand in for: size, answers and speed."""
