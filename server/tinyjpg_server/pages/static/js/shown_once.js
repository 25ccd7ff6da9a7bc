// A page that answers a form, with an element <... data-shown-once="ADDRESS">: reloading it, or coming
// back to it, opens that address and does not send the form again. It must not be one that the page
// links to: following the link would then stay on this page.
// @ts-check

const element = document.querySelector("[data-shown-once]");
if (element instanceof HTMLElement) {
  history.replaceState(null, "", element.dataset.shownOnce);
  // Browsers may keep whole pages for the way back.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}
