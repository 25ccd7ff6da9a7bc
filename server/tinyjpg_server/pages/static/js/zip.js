// The link to all results in one file. The server writes it; nothing is kept in memory here.

// Characters of its query: proxies take addresses of 8 KiB, where nobody told them otherwise.
const LONGEST = 7000;

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
    query.append("as", shortened(file.name, LONGEST / images.length - 45));
  }
  link.href = `/web/zip?${query}`;
  link.removeAttribute("aria-disabled");
}

/** `name`, its stem cut so that at most `longest` characters stand for it in an address. */
function shortened(name, longest) {
  const dot = name.lastIndexOf(".");
  const stem = [...(dot > 0 ? name.slice(0, dot) : name)];
  const extension = dot > 0 ? name.slice(dot, dot + 10) : "";
  const encoded = () => new URLSearchParams([["", stem.join("") + extension]]).toString();
  while (stem.length > 1 && encoded().length > longest) stem.pop();
  return stem.join("") + extension;
}
