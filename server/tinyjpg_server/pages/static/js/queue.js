// A few tasks at a time; the others wait for their turn.

export class Queue {
  #limit;
  #running = 0;
  #waiting = [];

  /** @param {number} limit tasks that run at a time */
  constructor(limit) {
    this.#limit = limit;
  }

  /**
   * The outcome of `task`, which is called when its turn comes; not at all once `signal` is aborted.
   * @template T
   * @param {() => Promise<T>} task
   * @param {AbortSignal} signal
   * @returns {Promise<T>}
   */
  add(task, signal) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, signal, resolve, reject });
      this.#go();
    });
  }

  /** Let every task that still waits fail for the same reason. */
  drop(reason) {
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  #go() {
    while (this.#running < this.#limit && this.#waiting.length) {
      const { task, signal, resolve, reject } = this.#waiting.shift();
      if (signal.aborted) {
        reject(signal.reason);
        continue;
      }
      this.#running += 1;
      task()
        .then(resolve, reject)
        .finally(() => {
          this.#running -= 1;
          this.#go();
        });
    }
  }
}
