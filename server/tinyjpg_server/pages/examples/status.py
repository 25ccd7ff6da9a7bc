import requests

answer = requests.get(
    "http://127.0.0.1:8000/api/status/123?wait=60",
    headers={"X-API-Key": "YOUR_API_KEY"},
    timeout=90,
)
answer.raise_for_status()
image = answer.json()["data"]
print(image["status"], image["optimized_size"])
