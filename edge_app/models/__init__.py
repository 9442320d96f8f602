"""The models that are installed on a device: which there are, which is in use, putting one in and taking one out."""
