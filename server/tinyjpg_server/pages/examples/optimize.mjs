import { readFile } from "node:fs/promises";

const form = new FormData();
form.append("image", new Blob([await readFile("photo.jpg")]), "photo.jpg");
form.append("quality", "80");
const answer = await fetch("http://127.0.0.1:8000/api/optimize", {
  method: "POST",
  headers: { "X-API-Key": "YOUR_API_KEY" },
  body: form,
});
const { success, message, data } = await answer.json();
if (!success) throw new Error(message);
console.log(data.image_id);
