// Copy buttons: they appear when this file has come, and say politely that they have done it.
"use strict";

const said = document.createElement("p");
said.className = "visually-hidden";
said.setAttribute("role", "status");
document.querySelector("main").append(said);

async function copy(source) {
  const text = source.textContent;
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Plain http on another name than localhost has no clipboard: select, and let the browser copy.
  getSelection().selectAllChildren(source);
  if (!document.execCommand("copy")) throw new Error("the browser did not copy");
}

function show(button, words, sentence) {
  const label = button.querySelector("span");
  const before = button.dataset.label ?? label.innerHTML;
  button.dataset.label = before;
  label.textContent = words;
  said.textContent = sentence;
  clearTimeout(Number(button.dataset.timer));
  button.dataset.timer = setTimeout(() => {
    label.innerHTML = before;
    said.textContent = "";
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
