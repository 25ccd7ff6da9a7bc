// A page that answers a form: reloading it opens the page that its link marked data-shown-once leads
// to, and does not send the form again.
// @ts-check

const link = document.querySelector("a[data-shown-once]");
if (link instanceof HTMLAnchorElement) history.replaceState(null, "", link.href);
