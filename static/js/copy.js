// Copy buttons: show them once this script has loaded, and announce each copy to screen readers.
"use strict";

const liveRegion = document.createElement("p");
liveRegion.className = "visually-hidden";
liveRegion.setAttribute("role", "status");
document.querySelector("main").append(liveRegion);

async function copy(source) {
  const text = source.textContent;
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // A browser offers the clipboard only to https pages and localhost. Elsewhere, select the text and let the browser copy it.
  getSelection().selectAllChildren(source);
  if (!document.execCommand("copy")) throw new Error("the browser did not copy");
}

function show(button, words, sentence) {
  const label = button.querySelector("span");
  const before = button.dataset.label ?? label.innerHTML;
  button.dataset.label = before;
  label.textContent = words;
  liveRegion.textContent = sentence;
  clearTimeout(Number(button.dataset.timer));
  button.dataset.timer = setTimeout(() => {
    label.innerHTML = before;
    liveRegion.textContent = "";
  }, 2000);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await copy(source);
      show(button, button.dataset.done, button.dataset.copied);
    } catch {
      getSelection().selectAllChildren(source);
      show(button, button.dataset.selected, button.dataset.keyboard);
    }
  });
}
