// One image's life: waiting, upload, processing, and as often as wished again at another quality.

import { Refusal, again, untilFinished } from "./api.js";
import { qualityIn } from "./quality.js";
import { Row } from "./row.js";
import { checkReadable, checkSize, upload } from "./upload.js";
import { percent, size } from "./words.js";

/**
 * @typedef {object} Surroundings
 * @property {import("./queue.js").Queue} queue
 * @property {string} token of the form
 * @property {number} wait seconds that the server may hold an answer
 * @property {number} maxBytes of a file
 * @property {(allowance: string) => void} allowance
 * @property {(image: ImageJob) => void} changed
 * @property {(image: ImageJob) => void} removed
 * @property {(image: ImageJob) => void} compare
 * @property {(refusal: Refusal) => void} refused
 * @property {(text: string) => void} announce
 */

export class ImageJob {
  #surroundings;
  #gone = new AbortController();
  #quality;

  /** The result, once there is one: as the server tells it. */
  result = null;
  busy = false;

  /**
   * @param {File} file
   * @param {number} quality
   * @param {Surroundings} surroundings
   */
  constructor(file, quality, surroundings) {
    this.file = file;
    this.#quality = quality;
    this.#surroundings = surroundings;
    this.row = new Row(file, quality, {
      again: () => this.again(qualityIn(this.row.qualityInput, this.#quality)),
      compare: () => surroundings.compare(this),
      remove: () => this.#remove(),
    });
  }

  /** Send the file. */
  async start() {
    const { queue, token, maxBytes } = this.#surroundings;
    await this.#follow(() => {
      checkSize(this.file, maxBytes);
      return queue.add(async () => {
        this.row.uploading(0);
        await checkReadable(this.file);
        const progress = (done) => this.row.uploading(done);
        const signal = this.#gone.signal;
        return this.#finish(await upload(this.file, this.#quality, token, progress, signal));
      }, this.#gone.signal);
    });
  }

  /** Whether there is anything to do at `quality`. */
  wants(quality) {
    return !this.busy && this.result?.quality !== quality;
  }

  /** Optimize what was sent at another quality; send it, if that failed. */
  async again(quality) {
    if (!this.wants(quality)) return;
    this.#quality = quality;
    const before = this.result;
    if (!before) {
      await this.start();
      return;
    }
    const { queue, token } = this.#surroundings;
    const signal = this.#gone.signal;
    await this.#follow(() =>
      queue.add(async () => this.#finish(await again(before.name, quality, token, signal)), signal),
    );
  }

  async #follow(work) {
    const { changed, announce, refused } = this.#surroundings;
    this.busy = true;
    this.row.waiting();
    changed(this);
    try {
      this.result = await work();
      const { original_size: before, optimized_size: after, compression_ratio: saved } = this.result;
      this.row.completed(this.result, this.file.name);
      announce(`${this.file.name}: ${size(before)} to ${size(after)}, ${percent(saved)} saved`);
    } catch (error) {
      if (this.#gone.signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      if (this.result) {
        this.row.completed(this.result, this.file.name);
        this.row.tell(error.message);
      } else {
        this.row.failed(error.message);
      }
      announce(`${this.file.name}: ${error.message}`);
      refused(error);
    } finally {
      this.busy = false;
      changed(this);
    }
  }

  async #finish(accepted) {
    this.#surroundings.allowance(accepted.allowance);
    this.row.processing();
    const image = await untilFinished(accepted.name, this.#surroundings.wait, this.#gone.signal);
    if (image.status === "failed") {
      throw new Refusal(`It could not be optimized: ${image.error.message}.`, image.error.code);
    }
    return image;
  }

  #remove() {
    this.#gone.abort();
    this.#surroundings.removed(this);
  }
}
