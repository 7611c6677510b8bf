// Set-up page: the subscriber is asked for in subscriber mode only. Style sheets do the same with :has();
// this serves browsers without it, and keeps a hidden field out of the answer.
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
