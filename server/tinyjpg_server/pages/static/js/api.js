// What the server is asked, and how it answers: {success, message, errors, code, data}.

/** A refusal: `message` is for people, `code` for programs ("" where nothing of ours answered). */
export class Refusal extends Error {
  constructor(message, code = "") {
    super(message);
    this.code = code;
  }
}

export const UNREACHABLE = "The server cannot be reached. Check your connection and try again.";

/**
 * The data of an answer.
 * @param {number} status
 * @param {string} body
 */
export function read(status, body) {
  let envelope;
  try {
    envelope = JSON.parse(body);
  } catch {
    throw new Refusal(`The server answered with status ${status}. Try again in a while.`);
  }
  if (envelope.success) return envelope.data;
  const ofFields = Object.values(envelope.errors ?? {}).flat().join(" ");
  throw new Refusal(ofFields || envelope.message, envelope.code);
}

async function ask(path, options) {
  let answer;
  let body;
  try {
    answer = await fetch(path, options);
    body = await answer.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(UNREACHABLE);
  }
  return read(answer.status, body);
}

/**
 * The image once it is finished, completed or failed.
 * @param {string} name
 * @param {number} wait seconds that the server may hold an answer
 * @param {AbortSignal} signal
 */
export async function untilFinished(name, wait, signal) {
  for (;;) {
    const image = await ask(`/web/images/${name}?wait=${wait}`, { signal });
    if (image.status !== "processing") return image;
    // A server that is about to stop answers at once.
    await new Promise((go) => setTimeout(go, 500));
  }
}

/** Have the same original optimized at another quality. */
export function again(name, quality, token, signal) {
  const body = new URLSearchParams({ form_token: token, quality: String(quality) });
  return ask(`/web/images/${name}/again`, { method: "POST", body, signal });
}
