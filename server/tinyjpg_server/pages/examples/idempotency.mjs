import { readFile } from "node:fs/promises";

const form = new FormData();
form.append("image", new Blob([await readFile("photo.jpg")]), "photo.jpg");
const answer = await fetch("http://127.0.0.1:8000/api/optimize", {
  method: "POST",
  headers: {
    "X-API-Key": "YOUR_API_KEY",
    "Idempotency-Key": "order-4711-photo-1",
  },
  body: form,
});
const { success, message } = await answer.json();
if (!success) throw new Error(message);
console.log(answer.headers.get("Idempotency-Replayed") ?? "false");
