import { writeFile } from "node:fs/promises";

const answer = await fetch(
  "http://127.0.0.1:8000/direct-file/optimized/9f86d081884c7d659a2feaa0c55ad015.jpg",
);
if (!answer.ok) throw new Error((await answer.json()).message);
await writeFile("photo.min.jpg", Buffer.from(await answer.arrayBuffer()));
