"""A benchmark report as an HTML page, Markdown and CSV, for whoever has to decide and for whoever has to check."""
