// A page in a popup that an embed opened: notify the page behind it, and close the popup once the workspace is connected.
"use strict";

const popup = document.querySelector("[data-opener]");
const note = popup.querySelector("[data-closing]");
const CLOSES_AFTER_MS = 5000;

// The message contains no result. It only makes the page behind this one ask the API at once.
window.opener?.postMessage("slack-connect", popup.dataset.opener);

function closeWindow() {
  window.close();
  // A browser may refuse, for example if another site's page in this window had the header Cross-Origin-Opener-Policy.
  setTimeout(() => {
    note.textContent = popup.dataset.done;
  }, 500);
}

popup.querySelector("[data-action=close]").addEventListener("click", closeWindow);

if (popup.hasAttribute("data-closes")) {
  note.textContent = popup.dataset.closes;
  const timer = setTimeout(() => {
    // The person is using the page if one of its controls has the focus.
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
