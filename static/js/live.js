// Show the progress of work: fetch the page every two seconds and replace its live parts, until the page's state changes.
"use strict";

const { state } = document.querySelector("main").dataset;

async function refresh() {
  try {
    const response = await fetch(location.href);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const [before, now] = [document, page].map((one) => one.querySelectorAll("[data-live]"));
    if (page.querySelector("main")?.dataset.state !== state || now.length !== before.length) {
      location.reload();
      return;
    }
    before.forEach((part, at) => {
      // A new part would take the focus from a link in the old one.
      if (!part.contains(document.activeElement)) part.innerHTML = now[at].innerHTML;
    });
  } catch {
    // The server did not answer. The next fetch may succeed.
  }
  setTimeout(refresh, 2000);
}

setTimeout(refresh, 2000);
