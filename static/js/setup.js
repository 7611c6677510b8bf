// Set-up page: show the subscriber's field in subscriber mode only. The style sheet does the same with :has(); this is for
// browsers without it, and disables the hidden field so that it is not sent.
"use strict";

const modes = document.querySelectorAll("input[name=connection_mode]");
const field = document.querySelector(".for-subscriber");

function follow() {
  const isShared = [...modes].some((mode) => mode.checked && mode.value === "shared");
  field.hidden = isShared;
  for (const input of field.querySelectorAll("input")) input.disabled = isShared;
}

if (field) {
  for (const mode of modes) mode.addEventListener("change", follow);
  follow();
}
