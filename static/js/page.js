// Every page: send a form only once, and move the focus to an error or a result.
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

// The back/forward cache may restore the page with its buttons still disabled.
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

const target = document.querySelector("[data-focus-first]") ?? document.querySelector("[data-focus]");
if (target && !location.hash) target.focus({ preventScroll: !target.hasAttribute("data-focus-first") });
