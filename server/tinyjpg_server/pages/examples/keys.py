import requests

API = "http://127.0.0.1:8000/api"
KEY_ID = 7

with requests.Session() as session:
    login = {"email": "you@example.com", "password": "YOUR_PASSWORD"}
    session.post(f"{API}/session", json=login, timeout=30).raise_for_status()

    made = session.post(f"{API}/keys", json={"name": "Web shop"}, timeout=30)
    print(made.json()["data"]["key"])
    for key in session.get(f"{API}/keys", timeout=30).json()["data"]["keys"]:
        print(key["id"], key["name"], key["hint"], key["state"])
    session.post(f"{API}/keys/{KEY_ID}/rotate", timeout=30).raise_for_status()
    session.delete(f"{API}/keys/{KEY_ID}", timeout=30).raise_for_status()

    session.delete(f"{API}/session", timeout=30).raise_for_status()
