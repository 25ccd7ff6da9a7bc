"""The pages, a file each. Not part of the API, so not in its document."""
