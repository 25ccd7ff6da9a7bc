// Examples in several languages as tabs (ARIA), one choice for the whole page, remembered.

const page = document.documentElement;

/** Make tabs of every example on the page. */
export function setUpTabs() {
  for (const examples of document.querySelectorAll(".examples")) {
    makeTabs(/** @type {HTMLElement} */ (examples));
  }
  show(page.dataset.language ?? "curl");
}

/** @param {HTMLElement} examples */
function makeTabs(examples) {
  const list = /** @type {HTMLElement} */ (examples.querySelector(".tabs"));
  const tabs = /** @type {HTMLElement[]} */ ([...list.children]);
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", "Language of the example");
  for (const tab of tabs) {
    const { language } = tab.dataset;
    const panel = /** @type {HTMLElement} */ (
      examples.querySelector(`.example[data-language="${language}"]`)
    );
    tab.id = `${examples.id}-${language}-tab`;
    panel.id = `${examples.id}-${language}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", () => choose(tab));
  }
  list.addEventListener("keydown", (event) => {
    const next = target(event.key, tabs.indexOf(/** @type {HTMLElement} */ (event.target)), tabs.length);
    if (next === null) return;
    event.preventDefault();
    tabs[next].focus({ preventScroll: true });
    choose(tabs[next]);
  });
}

/**
 * Which tab a key leads to; null if to none.
 * @param {string} key
 * @param {number} current
 * @param {number} count
 */
function target(key, current, count) {
  const moves = { ArrowRight: current + 1, ArrowLeft: current - 1 + count, Home: 0, End: count - 1 };
  return key in moves ? moves[/** @type {keyof moves} */ (key)] % count : null;
}

/** @param {HTMLElement} tab */
function choose(tab) {
  // Examples above become longer or shorter, too; the one in use stays where it is.
  const before = tab.getBoundingClientRect().top;
  show(tab.dataset.language ?? "curl");
  window.scrollBy({ top: tab.getBoundingClientRect().top - before, behavior: "instant" });
  try {
    localStorage.setItem("tinyjpg.language", tab.dataset.language ?? "curl");
  } catch {
    // Storage may be forbidden; then nothing is remembered.
  }
}

/** @param {string} language */
function show(language) {
  page.dataset.language = language;
  for (const tab of document.querySelectorAll(".tabs [role=tab]")) {
    const chosen = /** @type {HTMLElement} */ (tab).dataset.language === language;
    tab.setAttribute("aria-selected", String(chosen));
    /** @type {HTMLElement} */ (tab).tabIndex = chosen ? 0 : -1;
  }
}
