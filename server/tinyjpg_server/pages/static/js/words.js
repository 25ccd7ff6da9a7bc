// Figures as people read them, as pages/words.py writes them on the server.

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** Bytes in decimal units with three digits: 942 bytes, 1.23 MB. */
export function size(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= (unit ? 999.5 : 1000) && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (!unit) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Per cent, the fraction only where it says something: 62 %, 4.3 %. */
export function percent(value) {
  const rounded = Math.round(value * 10) / 10;
  return `${value < 10 && rounded % 1 ? rounded.toFixed(1) : Math.round(value)} %`;
}

// docs/quality.md has the same table.
const MEANINGS = [
  [100, "pixel-identical"],
  [90, "visually lossless"],
  [80, "not noticeable side by side"],
  [70, "changes can be seen, but do not annoy"],
  [50, "fair: changes show"],
  [0, "poor"],
];

/** What a quality of 1 to 100 means. */
export function meaning(quality) {
  return MEANINGS.find(([lowest]) => quality >= lowest)[1];
}
