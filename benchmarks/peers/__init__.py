"""What is measured side by side. Every peer is a process that speaks the same small protocol.

It reads one line of JSON, the job:

    {"images": [path, ...], "quality": number, "workers": number, "warm_up": bool}

reads the images into memory, starts its workers, optimises the first image where `warm_up` is set,
and answers `{"version": text}`. To each further line `round` it optimises all images, `workers` at
a time, and answers

    {"seconds": number, "images": [{"bytes": number, "method": text, "seconds": number}, ...]}

It ends at the end of its input.
"""
