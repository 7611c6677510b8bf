// Open the table of contents on a wide screen, and close it on a narrow one, where its summary opens it.
"use strict";

const contents = document.querySelector("[data-contents]");
const wide = matchMedia("(min-width: 76rem)");

function fit() {
  contents.open = wide.matches;
}

wide.addEventListener("change", fit);
fit();
