// Approval page: asks every three seconds whether the workspace is connected, and then shows it.
"use strict";

const waiting = document.querySelector("[data-status-url]");
const EVERY_MS = 3000;
const AFTER_A_FAULT_MS = 10000;

async function look() {
  let wait = EVERY_MS;
  try {
    const answer = await fetch(waiting.dataset.statusUrl, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) throw new Error("no answer");
    if ((await answer.json()).connected) {
      location.reload();
      return;
    }
  } catch {
    wait = AFTER_A_FAULT_MS;
  }
  setTimeout(whenSeen, wait);
}

// A page in the background does not ask; it looks at once when it is seen again.
function whenSeen() {
  if (!document.hidden) {
    look();
    return;
  }
  document.addEventListener("visibilitychange", whenSeen, { once: true });
}

if (waiting) setTimeout(whenSeen, EVERY_MS);
