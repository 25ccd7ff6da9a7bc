const answer = await fetch("http://127.0.0.1:8000/api/v1/stats", {
  headers: { "X-API-Key": "YOUR_API_KEY" },
});
const { success, message, data } = await answer.json();
if (!success) throw new Error(message);
console.log(`${data.remaining} images left until ${data.reset_date}`);
