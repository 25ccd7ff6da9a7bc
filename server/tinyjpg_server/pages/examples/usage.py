import requests

answer = requests.get(
    "http://127.0.0.1:8000/api/v1/usage",
    headers={"X-API-Key": "YOUR_API_KEY"},
    timeout=90,
)
answer.raise_for_status()
for month in answer.json()["data"]["monthly_trends"]:
    print(month["month"], month["images"], month["saved_bytes"])
