const query = new URLSearchParams({ limit: "50", status: "completed" });
for (;;) {
  const answer = await fetch(`http://127.0.0.1:8000/api/images?${query}`, {
    headers: { "X-API-Key": "YOUR_API_KEY" },
  });
  const { success, message, data } = await answer.json();
  if (!success) throw new Error(message);
  for (const image of data.images) {
    console.log(image.image_id, image.optimized_url);
  }
  if (data.next_cursor === null) break;
  query.set("cursor", data.next_cursor);
}
