const answer = await fetch("http://127.0.0.1:8000/api/images/123", {
  method: "DELETE",
  headers: { "X-API-Key": "YOUR_API_KEY" },
});
const { success, message } = await answer.json();
if (!success) throw new Error(message);
console.log(message);
