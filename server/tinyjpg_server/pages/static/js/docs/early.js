// Before anything is shown: scripts run, and the language that was chosen last is shown.

{
  const page = document.documentElement;
  const known = ["curl", "python", "javascript"];
  let language = null;
  try {
    language = localStorage.getItem("tinyjpg.language");
  } catch {
    // Storage may be forbidden; then nothing is remembered.
  }
  page.dataset.language = known.includes(language) ? language : "curl";
  page.classList.add("scripted");
}
