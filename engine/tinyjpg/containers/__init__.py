"""The file formats' own structure: segments, chunks and blocks, read and rewritten as bytes.

Nothing here decodes a pixel. Parsers accept hostile bytes: every read is bounded, and whatever is
out of order raises CorruptImageError.
"""
