"""Peers that encode one image at one setting. Each is a process that speaks the same protocol.

It says `{"version": text}` once it is ready. To each line of JSON

    {"source": path, "output": path, "setting": number}

it writes `output` and answers

    {"cpu": number, "method": text or null, "score": number or null, "probes": number or null}

with the seconds of CPU (user and system, children included) the image took, and what the peer says
of its result where it says anything; or `{"error": text}`. It ends at the end of its input.
"""
