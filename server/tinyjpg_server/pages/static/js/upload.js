// Sending a file. By XMLHttpRequest, since fetch tells nothing of how far an upload is.

import { Refusal, UNREACHABLE, read } from "./api.js";

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
