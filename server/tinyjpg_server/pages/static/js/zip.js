// The link to all results in one file. The server writes it; nothing is kept in memory here.

/**
 * @param {HTMLAnchorElement} link
 * @param {import("./image.js").ImageJob[]} images those that are finished
 */
export function linkTo(link, images) {
  if (!images.length) {
    link.removeAttribute("href");
    link.setAttribute("aria-disabled", "true");
    return;
  }
  const query = new URLSearchParams();
  for (const { result, file } of images) {
    query.append("image", result.name);
    query.append("as", file.name.slice(-120));
  }
  link.href = `/web/zip?${query}`;
  link.removeAttribute("aria-disabled");
}
