"""What comes before a model: how audit, features and training take their time and memory."""
