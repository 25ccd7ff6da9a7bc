curl -X POST "http://127.0.0.1:8000/api/optimize" \
  -H "X-API-Key: YOUR_API_KEY" \
  -H "Idempotency-Key: order-4711-photo-1" \
  -F "image=@photo.jpg"
