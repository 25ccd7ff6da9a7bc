# Log in: the cookie goes into a file.
curl -c cookies.txt -H "Content-Type: application/json" \
  -d '{"email": "you@example.com", "password": "YOUR_PASSWORD"}' \
  "http://127.0.0.1:8000/api/session"

# Make a key, list all, rotate one, revoke one.
curl -b cookies.txt -H "Content-Type: application/json" \
  -d '{"name": "Web shop"}' "http://127.0.0.1:8000/api/keys"
curl -b cookies.txt "http://127.0.0.1:8000/api/keys"
curl -b cookies.txt -X POST "http://127.0.0.1:8000/api/keys/7/rotate"
curl -b cookies.txt -X DELETE "http://127.0.0.1:8000/api/keys/7"

# Log out.
curl -b cookies.txt -X DELETE "http://127.0.0.1:8000/api/session"
