// Every page: no second press while the first is on its way, and the focus where the news is.
"use strict";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "get") return;
  if (form.dataset.sent === "yes") {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // aria-disabled and not disabled: a disabled button would leave its own value out of the form.
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
});

// "Back" may bring the page out of the browser's memory, with its buttons still off.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.forms) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) {
      button.removeAttribute("aria-disabled");
      button.removeAttribute("aria-busy");
    }
  }
});

const news = document.querySelector("[data-focus-first]") ?? document.querySelector("[data-focus]");
if (news && !location.hash) news.focus({ preventScroll: !news.hasAttribute("data-focus-first") });
