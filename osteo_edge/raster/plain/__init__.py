"""The topics by numpy and Pillow."""
