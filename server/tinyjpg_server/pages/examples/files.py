from pathlib import Path

import requests

answer = requests.get(
    "http://127.0.0.1:8000/direct-file/optimized/9f86d081884c7d659a2feaa0c55ad015.jpg",
    timeout=90,
)
answer.raise_for_status()
Path("photo.min.jpg").write_bytes(answer.content)
