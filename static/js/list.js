// The list of connections by keyboard: "/" goes to the search, the arrows move between rows, Enter opens one.
"use strict";

const search = document.getElementById("filter-q");
const rows = [...document.querySelectorAll("[data-connection] .row-link")];

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inField = event.target.closest("input, select, textarea");
  if (event.key === "/" && !inField) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "ArrowDown" && (event.target === search || !inField)) {
    move(event, 1);
  } else if (event.key === "ArrowUp" && !inField) {
    move(event, -1);
  }
});

function move(event, step) {
  const at = rows.indexOf(document.activeElement);
  // Arrows scroll the page until a row has the focus, or the search from which they enter the list.
  if (at === -1 && event.target !== search) return;
  event.preventDefault();
  if (at + step < 0) search.focus();
  else rows[Math.min(at + step, rows.length - 1)]?.focus();
}

// Bulk actions: one press selects the rows of this page, the next one clears them.
const selectAll = document.querySelector("[data-select-all]");

if (selectAll) {
  const boxes = [...document.querySelectorAll(".row-check input")];
  selectAll.hidden = false;
  selectAll.addEventListener("click", () => {
    const isAll = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !isAll;
  });
}
