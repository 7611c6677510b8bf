// Slack asked us to wait: counts the seconds down, then says that it is time.
"use strict";

const count = document.querySelector("[data-countdown]");
const over = document.querySelector("[data-countdown-over]");
const button = document.querySelector("[data-action=try-again]");

if (count) {
  const end = Date.now() + Number(count.dataset.countdown) * 1000;
  const ahead = (event) => event.preventDefault();
  button?.setAttribute("aria-disabled", "true");
  button?.addEventListener("click", ahead);

  const tick = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    count.textContent = String(left);
    if (left > 0) return;
    clearInterval(tick);
    count.closest("p").textContent = "You can try again now.";
    over.textContent = "You can try again now.";
    button?.removeAttribute("aria-disabled");
    button?.removeEventListener("click", ahead);
  }, 250);
}
