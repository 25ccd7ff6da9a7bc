// Ways in for files: dropped anywhere on the page, pasted, or chosen.

/**
 * @param {HTMLInputElement} input of files
 * @param {(files: File[]) => void} take
 */
export function receiveFiles(input, take) {
  const give = (list) => {
    const files = [...(list ?? [])];
    if (files.length) take(files);
    return files.length > 0;
  };
  input.multiple = true;
  input.addEventListener("change", () => {
    give(input.files);
    // So that the same file may be chosen again.
    input.value = "";
  });
  document.addEventListener("paste", (event) => {
    if (give(event.clipboardData?.files)) event.preventDefault();
  });

  const page = document.documentElement;
  let depth = 0;
  const brings = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => {
    if (!brings(event)) return;
    depth += 1;
    page.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (!brings(event)) return;
    depth -= 1;
    if (depth <= 0) page.classList.remove("dragging");
  });
  document.addEventListener("dragover", (event) => {
    // Otherwise the browser opens the file in place of the page.
    if (brings(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    depth = 0;
    page.classList.remove("dragging");
    if (!brings(event)) return;
    event.preventDefault();
    give(event.dataTransfer.files);
  });
}
