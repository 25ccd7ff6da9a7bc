from pathlib import Path

import requests  # pip install requests

with Path("photo.jpg").open("rb") as image:
    answer = requests.post(
        "http://127.0.0.1:8000/api/optimize?wait=60",
        headers={"X-API-Key": "YOUR_API_KEY"},
        files={"image": image},
        timeout=90,
    )
answer.raise_for_status()
result = answer.json()["data"]

optimized = requests.get(result["optimized_url"], timeout=90)
Path("photo.min.jpg").write_bytes(optimized.content)
print(f"{result['compression_ratio']} % saved")
