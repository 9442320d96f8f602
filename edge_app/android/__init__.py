"""The app on Android: what is staged for its build, how it starts there, and what it asks of the system."""
