// Count down to the next possible try, and disable its button until then.
"use strict";

const count = document.querySelector("[data-countdown]");
const over = document.querySelector("[data-countdown-over]");
const button = document.querySelector("[data-action=try-again]");

// Same words as the template filter `duration`.
function words(seconds) {
  const { minutes, second, seconds: several } = count.dataset;
  if (seconds > 120) return `${Math.ceil(seconds / 60)} ${minutes}`;
  return `${seconds} ${seconds === 1 ? second : several}`;
}

if (count) {
  const end = Date.now() + Number(count.dataset.countdown) * 1000;
  const prevent = (event) => event.preventDefault();
  button?.setAttribute("aria-disabled", "true");
  button?.addEventListener("click", prevent);

  const tick = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    count.textContent = words(left);
    if (left > 0) return;
    clearInterval(tick);
    count.closest("p").textContent = over.textContent = over.dataset.countdownOver;
    button?.removeAttribute("aria-disabled");
    button?.removeEventListener("click", prevent);
  }, 250);
}
