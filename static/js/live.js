// The progress of work: ask for the page every two seconds, and show its new parts, until the state of the page changes.
"use strict";

const { state } = document.querySelector("main").dataset;

async function refresh() {
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [before, now] = [document, page].map((one) => one.querySelectorAll("[data-live]"));
    if (page.querySelector("main")?.dataset.state !== state || now.length !== before.length) {
      location.reload();
      return;
    }
    before.forEach((part, at) => {
      // A link with the focus stays where it is.
      if (!part.contains(document.activeElement)) part.innerHTML = now[at].innerHTML;
    });
  } catch {
    // The server does not answer at the moment.
  }
  setTimeout(refresh, 2000);
}

setTimeout(refresh, 2000);
