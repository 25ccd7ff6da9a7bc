// The table of contents: marks the section that is read, and closes on a phone when it was used.

/** Follow what is read. */
export function setUpContents() {
  const phone = /** @type {HTMLDetailsElement} */ (document.querySelector(".on-phone"));
  phone.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest("a")) phone.open = false;
  });

  const links = new Map();
  for (const link of document.querySelectorAll(".at-desk a")) {
    links.set(link.getAttribute("href")?.slice(1), link);
  }
  const headings = /** @type {HTMLElement[]} */ (
    [...document.querySelectorAll(".text h2[id]")].filter((heading) => links.has(heading.id))
  );
  const mark = () => {
    const line = innerHeight / 4;
    const read = headings.findLast((heading) => heading.getBoundingClientRect().top < line);
    for (const [id, link] of links) {
      if (id === read?.id) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
  };
  let asked = false;
  const soon = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      mark();
    });
  };
  addEventListener("scroll", soon, { passive: true });
  mark();
}
