// Waiting page: load it again automatically. Without scripts, a refresh in the page's head does the same.
"use strict";

const { refreshUrl, refreshSeconds } = document.querySelector("[data-refresh-url]").dataset;
setTimeout(() => location.replace(refreshUrl), Number(refreshSeconds) * 1000);
