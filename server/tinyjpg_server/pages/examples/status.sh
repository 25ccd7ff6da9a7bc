curl -X GET "http://127.0.0.1:8000/api/status/123?wait=60" \
  -H "X-API-Key: YOUR_API_KEY"
