"""What leaves the app: a report on one page, the history as a table, a backup."""
