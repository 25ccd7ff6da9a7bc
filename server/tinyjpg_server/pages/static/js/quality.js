// The quality of new images: a slider and a number that go together, and what they mean.

import { meaning } from "./words.js";

/** A whole number from 1 to 100, or `otherwise`. */
export function qualityIn(input, otherwise) {
  const value = Number(input.value);
  return Number.isInteger(value) && value >= 1 && value <= 100 ? value : otherwise;
}

export class QualityControl {
  #range = document.querySelector("#quality-range");
  #number = document.querySelector("#quality");
  #words = document.querySelector("#quality-words");

  /** @param {(quality: number) => void} changed */
  constructor(changed) {
    this.#range.addEventListener("input", () => {
      this.#number.value = this.#range.value;
      this.#show(changed);
    });
    this.#number.addEventListener("input", () => {
      this.#range.value = String(qualityIn(this.#number, this.value));
      this.#show(changed);
    });
    this.#number.addEventListener("blur", () => {
      this.#number.value = this.#range.value;
    });
    // The browser may have kept what was chosen before a reload.
    this.#range.value = String(qualityIn(this.#number, this.value));
    this.#show(changed);
  }

  get value() {
    return Number(this.#range.value);
  }

  #show(changed) {
    this.#words.textContent = `${this.value}: ${meaning(this.value)}`;
    this.#range.setAttribute("aria-valuetext", this.#words.textContent);
    changed(this.value);
  }
}
