// A page in a popup that an embed opened: lets the page behind it ask for the news, and closes once the workspace is connected.
"use strict";

const popup = document.querySelector("[data-opener]");
const note = popup.querySelector("[data-closing]");
const CLOSES_AFTER_MS = 5000;

// The message says nothing. The page behind this one asks the API, as it does without the message.
window.opener?.postMessage("slack-connect", popup.dataset.opener);

function closeWindow() {
  window.close();
  // A browser may refuse, for example after another site has cut this window off from the page that opened it.
  setTimeout(() => {
    note.textContent = popup.dataset.done;
  }, 500);
}

popup.querySelector("[data-action=close]").addEventListener("click", closeWindow);

if (popup.hasAttribute("data-closes")) {
  note.textContent = popup.dataset.closes;
  const timer = setTimeout(() => {
    // Somebody is using the page if the focus is on a control of it.
    if (document.activeElement?.matches("a, button, input")) return;
    closeWindow();
  }, CLOSES_AFTER_MS);
  for (const type of ["keydown", "pointerdown"]) {
    document.addEventListener(type, () => {
      clearTimeout(timer);
      note.textContent = "";
    });
  }
}
