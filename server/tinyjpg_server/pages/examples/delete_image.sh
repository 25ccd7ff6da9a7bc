curl -X DELETE "http://127.0.0.1:8000/api/images/123" \
  -H "X-API-Key: YOUR_API_KEY"
