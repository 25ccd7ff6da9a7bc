// The dialog in which before and after lie over one another, with a divider between.

import { size } from "./words.js";

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class Compare {
  #dialog = document.querySelector("#compare");
  #title = document.querySelector("#compare-title");
  #stage = document.querySelector("#stage");
  #scroller = this.#stage.querySelector(".scroller");
  #canvas = this.#stage.querySelector(".canvas");
  #before = this.#stage.querySelector(".before");
  #after = this.#stage.querySelector(".after");
  #divider = this.#stage.querySelector(".divider");
  #left = this.#stage.querySelector(".tag.left");
  #right = this.#stage.querySelector(".tag.right");
  #loading = this.#stage.querySelector(".loading");
  #zooms = [...this.#dialog.querySelectorAll(".zoom")];
  #zoom = "fit";
  #split = 50;
  /** How often it was opened: what was still loading then is of no interest. */
  #openings = 0;

  constructor() {
    document.querySelector("#compare-close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#empty());
    for (const button of this.#zooms) {
      button.addEventListener("click", () => this.#setZoom(button.dataset.zoom));
    }
    this.#scroller.addEventListener("scroll", () => this.#clip());
    new ResizeObserver(() => this.#layOut()).observe(this.#stage);
    this.#divide();
    this.#pan();
  }

  /**
   * Show an image.
   * @param {string} name
   * @param {Record<string, any>} image as the server tells it, completed
   */
  async open(name, image) {
    this.#openings += 1;
    const opening = this.#openings;
    this.#title.textContent = name;
    this.#left.textContent = `Before: ${size(image.original_size)}`;
    this.#right.textContent = `After: ${size(image.optimized_size)}, score ${image.score.toFixed(1)}`;
    this.#say("Loading");
    this.#before.src = image.original_url;
    this.#after.src = image.optimized_url;
    this.#moveTo(50);
    this.#dialog.showModal();
    this.#divider.focus();
    try {
      await Promise.all([this.#before.decode(), this.#after.decode()]);
    } catch {
      // Closed meanwhile, or the files are gone.
      if (this.#dialog.open && opening === this.#openings) this.#say("The pictures could not be loaded; they may have expired.");
      return;
    }
    if (opening !== this.#openings) return;
    this.#say("");
    this.#stage.classList.add("ready");
    // At 1:1 differences show as they are; by way of "fit", so that the middle is in the middle.
    this.#setZoom("fit");
    this.#setZoom("1");
  }

  #empty() {
    this.#stage.classList.remove("ready");
    this.#before.removeAttribute("src");
    this.#after.removeAttribute("src");
  }

  #say(text) {
    const said = document.createElement("span");
    said.textContent = text;
    this.#loading.replaceChildren(...(text ? [said] : []));
  }

  #setZoom(zoom) {
    this.#zoom = zoom;
    for (const button of this.#zooms) {
      button.setAttribute("aria-pressed", String(button.dataset.zoom === zoom));
    }
    const { scrollLeft, scrollTop, scrollWidth, scrollHeight, clientWidth, clientHeight } = this.#scroller;
    const x = (scrollLeft + clientWidth / 2) / scrollWidth;
    const y = (scrollTop + clientHeight / 2) / scrollHeight;
    this.#layOut();
    // What was in the middle stays there.
    this.#scroller.scrollLeft = x * this.#scroller.scrollWidth - clientWidth / 2;
    this.#scroller.scrollTop = y * this.#scroller.scrollHeight - clientHeight / 2;
    this.#clip();
  }

  #layOut() {
    const { naturalWidth: width, naturalHeight: height } = this.#before;
    if (!width || !this.#stage.classList.contains("ready")) return;
    // 1:1 is one pixel of the picture on one of the screen.
    const native = 1 / window.devicePixelRatio;
    const fit = Math.min(native, this.#stage.clientWidth / width, this.#stage.clientHeight / height);
    const scale = this.#zoom === "fit" ? fit : native * Number(this.#zoom);
    this.#canvas.style.setProperty("width", `${width * scale}px`);
    this.#canvas.style.setProperty("height", `${height * scale}px`);
    this.#canvas.classList.toggle("enlarged", scale > native);
    const { scrollWidth, scrollHeight, clientWidth, clientHeight } = this.#scroller;
    this.#scroller.classList.toggle("pannable", scrollWidth > clientWidth || scrollHeight > clientHeight);
    this.#clip();
  }

  /** Cut away what of "after" is left of the divider. */
  #clip() {
    const canvas = this.#canvas.getBoundingClientRect();
    const stage = this.#stage.getBoundingClientRect();
    const edge = stage.left + (stage.width * this.#split) / 100 - canvas.left;
    this.#after.style.setProperty("clip-path", `inset(0 0 0 ${clamp(edge, 0, canvas.width)}px)`);
  }

  #moveTo(split) {
    this.#split = clamp(split, 0, 100);
    const shown = Math.round(this.#split);
    this.#stage.style.setProperty("--split", `${this.#split}%`);
    this.#divider.setAttribute("aria-valuenow", String(shown));
    this.#divider.setAttribute("aria-valuetext", `${shown} % before, ${100 - shown} % after`);
    this.#clip();
  }

  #divide() {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -100, End: 100 };
    this.#divider.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (step === undefined) return;
      event.preventDefault();
      this.#moveTo(Math.round(this.#split) + step * (event.shiftKey ? 10 : 1));
    });
    this.#drag(this.#divider, (event) => {
      const { left, width } = this.#stage.getBoundingClientRect();
      this.#moveTo((100 * (event.clientX - left)) / width);
    });
  }

  #pan() {
    this.#drag(this.#scroller, (event) => {
      // Fingers scroll it as it is.
      if (event.pointerType === "touch") return;
      this.#scroller.scrollLeft -= event.movementX;
      this.#scroller.scrollTop -= event.movementY;
    });
  }

  #drag(element, move) {
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      element.classList.add("panning");
    });
    element.addEventListener("pointermove", (event) => {
      if (element.hasPointerCapture(event.pointerId)) move(event);
    });
    element.addEventListener("lostpointercapture", () => element.classList.remove("panning"));
  }
}
