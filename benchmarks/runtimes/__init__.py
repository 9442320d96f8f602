"""A model in one runtime, ready to be run: TFLite's own, and its peers on the same weights."""
