const KEY_ID = 7;
let cookie = "";

async function call(method, path, body) {
  const answer = await fetch(`http://127.0.0.1:8000/api${path}`, {
    method,
    headers: { "Content-Type": "application/json", cookie },
    body: body && JSON.stringify(body),
  });
  const { success, message, data } = await answer.json();
  if (!success) throw new Error(message);
  cookie ||= answer.headers.getSetCookie()[0].split(";")[0];
  return data;
}

await call("POST", "/session", { email: "you@example.com", password: "YOUR_PASSWORD" });
console.log((await call("POST", "/keys", { name: "Web shop" })).key);
for (const key of (await call("GET", "/keys")).keys) {
  console.log(key.id, key.name, key.hint, key.state);
}
await call("POST", `/keys/${KEY_ID}/rotate`);
await call("DELETE", `/keys/${KEY_ID}`);
await call("DELETE", "/session");
