# The answer comes when the image is finished; "optimized_url" in it is where the result is.
curl -X POST "http://127.0.0.1:8000/api/optimize?wait=60" \
  -H "X-API-Key: YOUR_API_KEY" \
  -F "image=@photo.jpg"
