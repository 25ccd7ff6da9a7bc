const answer = await fetch("http://127.0.0.1:8000/api/v1/usage", {
  headers: { "X-API-Key": "YOUR_API_KEY" },
});
const { success, message, data } = await answer.json();
if (!success) throw new Error(message);
for (const month of data.monthly_trends) {
  console.log(month.month, month.images, month.saved_bytes);
}
