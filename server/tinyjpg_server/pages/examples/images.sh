curl -X GET "http://127.0.0.1:8000/api/images?limit=50&status=completed" \
  -H "X-API-Key: YOUR_API_KEY"
