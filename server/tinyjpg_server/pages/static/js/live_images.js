// While images are being worked on, the page is fetched again now and then, and their rows and the
// quota are taken from it.
// @ts-check

const FIRST = 1500;
const LONGEST = 15000;
const PROCESSING = 'li.image[data-status="processing"]';

/** @param {Document} fresh @returns {number} how many images were finished */
function update(fresh) {
  let finished = 0;
  for (const row of document.querySelectorAll(PROCESSING)) {
    const now = fresh.getElementById(row.id);
    // A row that somebody is in the middle of is left alone until they have gone on.
    if (!now || now.dataset.status === "processing" || row.contains(document.activeElement)) continue;
    row.replaceWith(document.adoptNode(now));
    finished += 1;
  }
  return finished;
}

/** @param {Document} fresh */
function updateQuota(fresh) {
  const [old, now] = [document, fresh].map((page) => page.querySelector(".quota"));
  if (old && now && !old.contains(document.activeElement)) old.replaceWith(document.adoptNode(now));
}

async function fetchPage() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** @param {number} pause milliseconds */
async function watch(pause) {
  while (document.querySelector(PROCESSING)) {
    await new Promise((resolve) => { setTimeout(resolve, pause); });
    if (document.hidden) continue;
    const fresh = await fetchPage().catch(() => null);
    if (!fresh) return;
    const finished = update(fresh);
    if (finished) {
      updateQuota(fresh);
      const live = document.getElementById("live");
      if (live) live.textContent = `${finished} ${finished === 1 ? "image is" : "images are"} done.`;
    }
    pause = finished ? FIRST : Math.min(LONGEST, pause * 1.5);
  }
}

watch(FIRST);
