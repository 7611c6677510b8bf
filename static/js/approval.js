// Approval page: ask every three seconds whether the workspace is connected, and reload once it is.
"use strict";

const waiting = document.querySelector("[data-status-url]");
const EVERY_MS = 3000;
const AFTER_A_FAULT_MS = 10000;

async function check() {
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
  setTimeout(whenVisible, wait);
}

// A page in the background does not ask. It asks as soon as it is visible again.
function whenVisible() {
  if (!document.hidden) {
    check();
    return;
  }
  document.addEventListener("visibilitychange", whenVisible, { once: true });
}

if (waiting) setTimeout(whenVisible, EVERY_MS);
