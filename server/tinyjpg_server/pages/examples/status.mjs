const answer = await fetch("http://127.0.0.1:8000/api/status/123?wait=60", {
  headers: { "X-API-Key": "YOUR_API_KEY" },
});
const { success, message, data } = await answer.json();
if (!success) throw new Error(message);
console.log(data.status, data.optimized_size);
