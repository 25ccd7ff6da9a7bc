// Buttons that copy the text of an element: <button data-copy="ID" hidden>.
// @ts-check

const SECONDS = 4;

/** @param {HTMLElement} source @returns {Promise<boolean>} whether it is on the clipboard */
async function copy(source) {
  const text = source.textContent ?? "";
  try {
    // Not there on plain http.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    return document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  const source = document.getElementById(button.dataset.copy ?? "");
  const status = document.getElementById("copied");
  if (!source) continue;
  const word = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copy(source);
    button.textContent = done ? "Copied" : word;
    if (status) status.textContent = done ? "Copied to the clipboard." : "Select it and copy it by hand.";
    setTimeout(() => { button.textContent = word; }, SECONDS * 1000);
  });
}
