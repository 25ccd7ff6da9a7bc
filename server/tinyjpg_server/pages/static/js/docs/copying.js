// Buttons that copy the code beside them.

const SHOWN = 2000; // milliseconds

/** Let every copy button copy. */
export function setUpCopying() {
  const said = document.createElement("p");
  said.className = "visually-hidden";
  said.setAttribute("aria-live", "polite");
  document.body.append(said);
  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", () => copy(/** @type {HTMLElement} */ (button), said));
  }
}

/**
 * @param {HTMLElement} button
 * @param {HTMLElement} said
 */
async function copy(button, said) {
  const code = button.closest(".code")?.querySelector("code");
  if (!code) return;
  let outcome = "Copied";
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
  } catch {
    // Without TLS, or not allowed: select it, so that the keyboard can.
    getSelection()?.selectAllChildren(code);
    outcome = "Selected";
  }
  button.textContent = outcome;
  said.textContent = outcome;
  setTimeout(() => {
    button.textContent = "Copy";
    said.textContent = "";
  }, SHOWN);
}
