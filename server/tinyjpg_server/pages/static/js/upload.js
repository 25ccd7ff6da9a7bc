// Sending a file. By XMLHttpRequest, since fetch tells nothing of how far an upload is.

import { Refusal, UNREACHABLE, read } from "./api.js";
import { size } from "./words.js";

/**
 * Refuse a file by its size alone.
 * @param {File} file
 * @param {number} maxBytes
 */
export function checkSize(file, maxBytes) {
  if (file.size > maxBytes) {
    const large = `The image has ${size(file.size)}; at most ${size(maxBytes)} are taken.`;
    throw new Refusal(large, "payload_too_large");
  }
  // Some systems give folders no size.
  if (!file.size) throw new Refusal("The file is empty, or it is a folder: give the images in it.");
}

/**
 * Refuse what cannot be read: sending it would fail as a broken connection does.
 * @param {File} file
 */
export async function checkReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Refusal("The file cannot be read: it was moved or changed, or it is a folder.");
  }
}

/**
 * What the server says of the image once it has it.
 * @param {File} file
 * @param {number} quality 1 to 100
 * @param {string} token of the form
 * @param {(percent: number) => void} progress
 * @param {AbortSignal} signal
 */
export function upload(file, quality, token, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    // Before the file, so that the server knows it first.
    form.append("quality", String(quality));
    form.append("image", file, file.name);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(Math.floor((100 * event.loaded) / event.total));
    });
    request.addEventListener("load", () => {
      try {
        resolve(read(request.status, request.responseText));
      } catch (error) {
        reject(error);
      }
    });
    request.addEventListener("error", () => reject(new Refusal(UNREACHABLE)));
    request.addEventListener("abort", () => reject(new DOMException("removed", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", "/web/images");
    request.setRequestHeader("X-Form-Token", token);
    request.send(form);
  });
}
