import requests

answer = requests.get(
    "http://127.0.0.1:8000/api/v1/stats",
    headers={"X-API-Key": "YOUR_API_KEY"},
    timeout=90,
)
answer.raise_for_status()
stats = answer.json()["data"]
print(f"{stats['remaining']} images left until {stats['reset_date']}")
