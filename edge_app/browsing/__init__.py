"""Choosing a film among folders and USB sticks, without a window."""
