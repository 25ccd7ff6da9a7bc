// What the server is asked, and how it answers: {success, message, errors, code, data}.

// Milliseconds before an image is asked for again that the server has, but could not tell of.
const PATIENCE = [1000, 2000, 4000, 8000, 15000];

/**
 * A refusal: `message` is for people, `code` for programs ("" where nothing of ours answered),
 * `passing` says that the same request may succeed in a while.
 */
export class Refusal extends Error {
  constructor(message, code = "", passing = false) {
    super(message);
    this.code = code;
    this.passing = passing;
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
    envelope = null;
  }
  if (envelope?.success) return envelope.data;
  const passing = status >= 500;
  // A proxy's own page, or what a broken connection left.
  if (!envelope?.message) {
    throw new Refusal(`The server answered with status ${status}. Try again in a while.`, "", passing);
  }
  const ofFields = Object.values(envelope.errors ?? {}).flat().join(" ");
  throw new Refusal(ofFields || envelope.message, envelope.code, passing);
}

async function ask(path, options) {
  let answer;
  let body;
  try {
    answer = await fetch(path, options);
    body = await answer.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(UNREACHABLE, "", true);
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
  let failures = 0;
  for (;;) {
    // A server that is about to stop answers at once.
    let pause = 500;
    try {
      const image = await ask(`/web/images/${name}?wait=${wait}`, { signal });
      if (image.status !== "processing") return image;
      failures = 0;
    } catch (error) {
      // The image is paid for; giving up would have it sent and paid for again.
      if (!error.passing || failures === PATIENCE.length) throw error;
      pause = PATIENCE[failures];
      failures += 1;
    }
    await new Promise((go) => setTimeout(go, pause));
  }
}

/** Have the same original optimized at another quality. */
export function again(name, quality, token, signal) {
  const body = new URLSearchParams({ form_token: token, quality: String(quality) });
  return ask(`/web/images/${name}/again`, { method: "POST", body, signal });
}
