import requests

query = {"limit": "50", "status": "completed"}
while True:
    answer = requests.get(
        "http://127.0.0.1:8000/api/images",
        headers={"X-API-Key": "YOUR_API_KEY"},
        params=query,
        timeout=90,
    )
    answer.raise_for_status()
    page = answer.json()["data"]
    for image in page["images"]:
        print(image["image_id"], image["optimized_url"])
    if page["next_cursor"] is None:
        break
    query["cursor"] = page["next_cursor"]
