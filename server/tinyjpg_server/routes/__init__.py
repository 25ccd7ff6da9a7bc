"""One file per surface of the API. No route knows SQL."""
