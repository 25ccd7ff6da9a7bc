// Forms with data-question ask in a dialog before they are sent; without this script a page asks.
// @ts-check

/** @param {string} name @param {string} text @param {string} className */
function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

/** @param {HTMLFormElement} form @returns {Promise<boolean>} whether the answer was yes */
function ask(form) {
  const dialog = document.createElement("dialog");
  dialog.className = "ask";
  const title = element("h2", form.dataset.title ?? "");
  title.id = "ask-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const buttons = document.createElement("form");
  buttons.method = "dialog";
  buttons.className = "actions";
  const quietly = !form.querySelector(".danger");
  const yes = /** @type {HTMLButtonElement} */ (element("button", form.dataset.answer ?? "", quietly ? "button" : "button danger"));
  yes.value = "yes";
  const no = /** @type {HTMLButtonElement} */ (element("button", "Cancel", "button plain"));
  no.value = "no";
  no.autofocus = true;
  buttons.append(yes, no);
  dialog.append(title, element("p", form.dataset.question ?? "", "long"), buttons);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.question === undefined) return;
  event.preventDefault();
  if (!(await ask(form))) return;
  const confirmed = document.createElement("input");
  confirmed.type = "hidden";
  confirmed.name = "confirmed";
  confirmed.value = "yes";
  form.append(confirmed);
  form.submit();
});
