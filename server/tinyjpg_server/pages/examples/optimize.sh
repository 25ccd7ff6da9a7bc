curl -X POST "http://127.0.0.1:8000/api/optimize" \
  -H "X-API-Key: YOUR_API_KEY" \
  -F "image=@photo.jpg" \
  -F "quality=80"
