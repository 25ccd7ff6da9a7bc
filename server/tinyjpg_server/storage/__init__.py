"""Where image files lie."""
