import { readFile, writeFile } from "node:fs/promises";

const form = new FormData();
form.append("image", new Blob([await readFile("photo.jpg")]), "photo.jpg");
const answer = await fetch("http://127.0.0.1:8000/api/optimize?wait=60", {
  method: "POST",
  headers: { "X-API-Key": "YOUR_API_KEY" },
  body: form,
});
const { success, message, data } = await answer.json();
if (!success) throw new Error(message);

const optimized = await fetch(data.optimized_url);
await writeFile("photo.min.jpg", Buffer.from(await optimized.arrayBuffer()));
console.log(`${data.compression_ratio} % saved`);
