curl -o photo.min.jpg \
  "http://127.0.0.1:8000/direct-file/optimized/9f86d081884c7d659a2feaa0c55ad015.jpg"
