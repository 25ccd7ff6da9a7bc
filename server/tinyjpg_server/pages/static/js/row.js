// One image's row: what is seen of it. What happens to it is image.js's.

import { percent, size } from "./words.js";

const TEMPLATE = document.querySelector("#row");

export class Row {
  #parts;
  #settled = false;
  /** The quality of what is shown; 0 while nothing is. */
  #shown = 0;

  /**
   * @param {File} file
   * @param {number} quality
   * @param {{again: () => void, compare: () => void, remove: () => void}} actions
   */
  constructor(file, quality, actions) {
    this.element = TEMPLATE.content.firstElementChild.cloneNode(true);
    const part = (selector) => this.element.querySelector(selector);
    this.#parts = {
      state: part(".state"),
      progress: part("progress"),
      before: part(".before"),
      after: part(".after"),
      saved: part(".saved"),
      score: part(".score"),
      fault: part(".fault"),
      quality: part(".row-quality input"),
      again: part(".again"),
      download: part(".download"),
    };
    part(".name").textContent = file.name;
    part(".name").title = file.name;
    this.#parts.quality.value = String(quality);
    this.#label(file.name, part);
    this.#thumbnail(file, part(".thumb"));
    part(".compare").addEventListener("click", actions.compare);
    part(".remove").addEventListener("click", actions.remove);
    this.#parts.again.addEventListener("click", actions.again);
    this.#parts.quality.addEventListener("input", () => this.#offer());
    this.#parts.quality.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !this.#parts.again.disabled) actions.again();
    });
    this.waiting();
  }

  /** What is chosen for this image. */
  get qualityInput() {
    return this.#parts.quality;
  }

  waiting() {
    this.#become("waiting", "Waiting", 0);
  }

  /** @param {number} done per cent */
  uploading(done) {
    // All is sent, but the server has not said so.
    this.#become("uploading", done < 100 ? `Uploading: ${done} %` : "Uploaded", done);
  }

  processing() {
    this.#become("processing", "Processing", null);
  }

  /** @param {Record<string, any>} image as the server tells it, completed */
  completed(image, fileName) {
    const parts = this.#parts;
    const smaller = image.optimized_size < image.original_size;
    parts.before.textContent = size(image.original_size);
    parts.after.textContent = size(image.optimized_size);
    parts.saved.textContent = smaller ? `${percent(image.compression_ratio)} saved` : "already optimal";
    parts.score.textContent = `score ${image.score.toFixed(1)}`;
    parts.quality.value = String(image.quality);
    this.#shown = image.quality;
    parts.download.href = `${image.optimized_url}?${new URLSearchParams({ download: fileName })}`;
    this.#become("completed", "", 100);
  }

  failed(reason) {
    this.#become("failed", "", 0);
    this.tell(reason);
  }

  /** Say what went wrong, beside what is there. */
  tell(reason) {
    this.#parts.fault.textContent = reason;
  }

  #become(state, words, progress) {
    const parts = this.#parts;
    this.element.dataset.state = state;
    parts.state.textContent = words;
    parts.fault.textContent = "";
    this.#settled = state === "completed" || state === "failed";
    parts.quality.disabled = !this.#settled;
    this.#offer();
    parts.again.textContent = state === "failed" ? "Try again" : "Again";
    if (progress === null) parts.progress.removeAttribute("value");
    else parts.progress.value = progress;
  }

  /** The same quality once more would only use up what is left. */
  #offer() {
    this.#parts.again.disabled = !this.#settled || Number(this.#parts.quality.value) === this.#shown;
  }

  #label(name, part) {
    this.#parts.progress.setAttribute("aria-label", `Progress of ${name}`);
    this.#parts.quality.setAttribute("aria-label", `Quality of ${name}`);
    this.#parts.again.setAttribute("aria-description", `Optimize ${name} at the quality beside`);
    part(".compare").setAttribute("aria-label", `Compare ${name}`);
    part(".download").setAttribute("aria-label", `Download ${name}`);
    part(".remove").setAttribute("aria-label", `Remove ${name}`);
  }

  #thumbnail(file, box) {
    const picture = box.querySelector("img");
    const url = URL.createObjectURL(file);
    const done = () => URL.revokeObjectURL(url);
    picture.addEventListener("load", done, { once: true });
    picture.addEventListener("error", () => {
      box.classList.add("broken");
      done();
    }, { once: true });
    picture.src = url;
  }
}
