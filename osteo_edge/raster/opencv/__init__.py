"""The topics by OpenCV."""
