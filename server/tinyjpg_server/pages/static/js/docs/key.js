// The reader's API key in every example. It stays in this tab (sessionStorage) and is sent nowhere.

const STORED = "tinyjpg.key";
const PLACEHOLDER = "YOUR_API_KEY";

/** Let the field fill the examples. */
export function setUpKey() {
  const input = /** @type {HTMLInputElement} */ (document.getElementById("api-key"));
  const said = /** @type {HTMLElement} */ (document.getElementById("api-key-hint"));
  const forget = /** @type {HTMLElement} */ (document.getElementById("forget-key"));
  const hint = said.textContent;
  const valid = new RegExp(`^tj_[0-9A-Za-z]{${input.dataset.length}}$`);

  const take = () => {
    const key = input.value.trim();
    const right = valid.test(key);
    fill(right ? key : "");
    remember(right ? key : "");
    input.setAttribute("aria-invalid", String(key !== "" && !right));
    said.textContent = right
      ? `It is in all examples on this page. ${hint}`
      : key === "" ? hint : `This is not a whole key: they are tj_ and ${input.dataset.length} letters and digits.`;
  };

  input.addEventListener("input", take);
  forget.addEventListener("click", () => {
    input.value = "";
    take();
    said.textContent = `Forgotten. ${hint}`;
    input.focus();
  });
  input.value = remembered();
  if (input.value) take();
}

/** @param {string} key empty for none */
function fill(key) {
  for (const place of document.querySelectorAll(".api-key")) {
    place.textContent = key || PLACEHOLDER;
    place.classList.toggle("filled", key !== "");
  }
}

/** @returns {string} */
function remembered() {
  try {
    return sessionStorage.getItem(STORED) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} key */
function remember(key) {
  try {
    if (key) sessionStorage.setItem(STORED, key);
    else sessionStorage.removeItem(STORED);
  } catch {
    // Storage may be forbidden; then it is gone with the page.
  }
}
