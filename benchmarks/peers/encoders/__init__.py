"""Peers that encode one image at one setting. Each is a process that speaks the same protocol.

It says `{"version": text}` once it is ready. To each line of JSON

    {"source": path, "output": path, "setting": number}

it writes `output` and answers

    {"cpu": number, "children_peak": number, "method": text, "score": number, "probes": number}

with the seconds of CPU (user and system, children included) the image took, and where it has them
the most memory of a child in bytes and what it says of its result; or `{"error": text}`. It ends at
the end of its input.
"""
