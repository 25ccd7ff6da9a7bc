from pathlib import Path

import requests

with Path("photo.jpg").open("rb") as image:
    answer = requests.post(
        "http://127.0.0.1:8000/api/optimize",
        headers={
            "X-API-Key": "YOUR_API_KEY",
            "Idempotency-Key": "order-4711-photo-1",
        },
        files={"image": image},
        timeout=90,
    )
answer.raise_for_status()
print(answer.headers.get("Idempotency-Replayed", "false"))
