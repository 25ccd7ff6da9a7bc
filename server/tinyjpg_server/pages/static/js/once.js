// A form is sent once, however often its button is pressed before the answer is here.
// @ts-check

// Milliseconds after which it may be sent again: somebody may have stopped the page, or come back.
const PATIENCE = 5000;

/** @type {Set<EventTarget>} */
const sent = new Set();

document.addEventListener("submit", (event) => {
  const form = event.target;
  // Another script may ask first, and send it then.
  if (!form || event.defaultPrevented) return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.add(form);
  setTimeout(() => sent.delete(form), PATIENCE);
});

// Browsers may keep whole pages for the way back.
addEventListener("pageshow", () => sent.clear());
