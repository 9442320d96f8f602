"""The screening app as a web page: packed for a browser, and served on the clinic's network."""
