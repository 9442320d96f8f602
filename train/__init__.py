"""Labelled X-rays to a Keras bundle: audit, split, models, fitting, evaluation."""
