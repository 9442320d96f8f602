"""One model for all bones beside a router and a model for each bone."""
