// The progress of a bulk action: ask for the page every two seconds, and show its new parts, until it is done.
"use strict";

async function refresh() {
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.querySelector("main")?.dataset.state !== "running") {
      location.reload();
      return;
    }
    const now = page.querySelectorAll("[data-live]");
    document.querySelectorAll("[data-live]").forEach((part, at) => {
      // A link with the focus stays where it is.
      if (!part.contains(document.activeElement)) part.innerHTML = now[at].innerHTML;
    });
  } catch {
    // The server does not answer at the moment.
  }
  setTimeout(refresh, 2000);
}

setTimeout(refresh, 2000);
