// The contents stand open at the side where there is room; on a narrow screen they unfold when asked for.
"use strict";

const contents = document.querySelector("[data-contents]");
const wide = matchMedia("(min-width: 76rem)");

function fit() {
  contents.open = wide.matches;
}

wide.addEventListener("change", fit);
fit();
