import requests

answer = requests.delete(
    "http://127.0.0.1:8000/api/images/123",
    headers={"X-API-Key": "YOUR_API_KEY"},
    timeout=90,
)
answer.raise_for_status()
print(answer.json()["message"])
