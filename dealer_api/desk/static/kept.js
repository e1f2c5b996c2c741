// Today's day sheet is kept on this machine, so that it can be read while the house cannot be reached. Nothing needs it.
"use strict";
(() => {
  const STORE = "telltale-day-1", EVERY_MS = 5 * 60 * 1000, AGAIN_MS = 5000;
  // A kept page is drawn anew as soon as the house is heard again.
  if (document.documentElement.dataset.kept) {
    setInterval(async () => {
      const answer = await fetch("/api/v1/session", { cache: "no-store" }).catch(() => null);
      if (answer && answer.status < 500) window.location.reload();
    }, AGAIN_MS);
  }
  if (!("serviceWorker" in navigator)) return;
  let worker = null;
  // Whoever signs out leaves nothing behind.
  document.addEventListener("submit", (event) => {
    if (new URL(event.target.action).pathname !== "/sign-out") return;
    if (worker) worker.postMessage({ forget: true });
    caches.delete(STORE);
  });
  navigator.serviceWorker.addEventListener("message", (event) => { if (event.data.kept) document.body.dataset.kept = "yes"; });
  const files = [
    ...[...document.querySelectorAll("link[rel=stylesheet], script[src], link[rel=icon]")].map((one) => new URL(one.src || one.href).pathname),
    "/static/vendor/pico.min.css", "/static/vendor/uPlot.min.css",
  ];
  navigator.serviceWorker.register("/day-worker.js", { scope: "/today" }).then((registered) => {
    const keep = () => {
      worker = registered.active || registered.waiting || registered.installing;
      if (worker && !document.hidden) worker.postMessage({ keep: true, files });
    };
    keep();
    setInterval(keep, EVERY_MS);
  }).catch(() => { /* then with the house only */ });
})();
