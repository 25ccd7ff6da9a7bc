// The home page's entry: the rows of images, what they add up to, and what is left.

import { Compare } from "./compare.js";
import { ImageJob } from "./image.js";
import { receiveFiles } from "./intake.js";
import { QualityControl } from "./quality.js";
import { Queue } from "./queue.js";
import { percent, size } from "./words.js";
import { linkTo } from "./zip.js";

// Uploads, and images waited for, at a time: browsers open six connections to a server.
const AT_A_TIME = 4;
// There is no use in trying the others.
const USED_UP = new Set(["daily_allowance", "quota_exceeded"]);

const find = (selector) => document.querySelector(selector);
const tool = find("#tool");
const rows = find("#rows");
const most = Number(tool.dataset.most);

/** @type {Set<ImageJob>} */
const images = new Set();
const queue = new Queue(AT_A_TIME);
const compare = new Compare();
const quality = new QualityControl((value) => {
  find("#all-again").textContent = `Optimize all at ${value}`;
  offerAll(value);
});

const surroundings = {
  queue,
  token: tool.elements.namedItem("form_token").value,
  wait: Number(tool.dataset.wait),
  maxBytes: Number(tool.dataset.maxBytes),
  allowance: (words) => {
    find("#allowance").textContent = words;
  },
  announce: (text) => {
    find("#announcer").textContent = text;
  },
  compare: (image) => compare.open(image.file.name, image.result),
  changed: update,
  removed: remove,
  refused: (refusal) => {
    if (!USED_UP.has(refusal.code)) return;
    find("#used-up-reason").textContent = refusal.message;
    find("#used-up").hidden = false;
    queue.drop(refusal);
  },
};

function take(files) {
  const room = Math.max(0, most - images.size);
  const taken = files.slice(0, room);
  const leftOut = files.length - taken.length;
  find("#left-out").hidden = !leftOut;
  find("#left-out").textContent =
    `${most} images at a time: ${leftOut} of what you gave ${leftOut === 1 ? "was" : "were"} left out. Remove some first.`;
  find("#results").hidden = false;
  for (const file of taken) {
    const image = new ImageJob(file, quality.value, surroundings);
    images.add(image);
    rows.append(image.row.element);
    image.start();
  }
}

function remove(image) {
  const next = image.row.element.nextElementSibling ?? image.row.element.previousElementSibling;
  images.delete(image);
  image.row.element.remove();
  (next?.querySelector(".remove") ?? find("#file")).focus();
  find("#left-out").hidden = true;
  find("#results").hidden = !images.size;
  update();
}

function update() {
  const finished = [...images].filter((image) => image.result);
  const busy = [...images].some((image) => image.busy);
  const sum = (key) => finished.reduce((total, { result }) => total + result[key], 0);
  const before = sum("original_size");
  const after = sum("optimized_size");
  find("#total").textContent = finished.length
    ? `${finished.length} of ${images.size} done: ${size(before)} → ${size(after)}, ${percent(100 * (1 - after / before))} saved`
    : "";
  offerAll(quality.value);
  linkTo(find("#zip"), busy ? [] : finished);
}

function offerAll(value) {
  find("#all-again").disabled = ![...images].some((image) => image.wants(value));
}

find("#all-again").addEventListener("click", () => {
  for (const image of images) image.again(quality.value);
});
tool.addEventListener("submit", (event) => event.preventDefault());
receiveFiles(find("#file"), take);
