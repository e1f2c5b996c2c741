// Where the driver is, for the customer who waits: on the driver's own wish, while this page is open and this drive lasts, and
// not a moment longer. Nothing is kept on the phone but the wish itself, for as long as the browser's tab lives.
"use strict";
(() => {
  const EVERY_MS = 20000;
  let watch = null, last = 0, box = null;

  const key = () => `share-${box.dataset.share}`;
  function show(words, on) {
    box.querySelector("span").textContent = words;
    box.querySelector("button").setAttribute("aria-pressed", String(on));
    box.classList.toggle("on", on);
  }
  function stop(words) {
    if (watch !== null) navigator.geolocation.clearWatch(watch);
    watch = null;
    if (box) { sessionStorage.removeItem(key()); show(words || box.dataset.off, false); }
  }
  async function tell(found) {
    if (Date.now() - last < EVERY_MS || document.visibilityState !== "visible") return;
    last = Date.now();
    const place = `${found.coords.latitude.toFixed(5)},${found.coords.longitude.toFixed(5)}`;
    const fields = { leg: box.dataset.share, place, ...(box.dataset.csrf ? { csrf: box.dataset.csrf } : {}) };
    try {
      const answer = await fetch(box.dataset.to, { method: "POST", body: new URLSearchParams(fields), headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.status >= 400 && answer.status < 500) stop();
    } catch { /* no network: the next place is as good */ }
  }
  function start() {
    last = 0;
    sessionStorage.setItem(key(), "yes");
    show(box.dataset.on, true);
    watch = navigator.geolocation.watchPosition(tell, () => stop(box.dataset.denied), { enableHighAccuracy: true, maximumAge: EVERY_MS });
  }
  function look() {
    const here = document.querySelector("[data-share]");
    if (!here || !("geolocation" in navigator)) {
      if (watch !== null) { navigator.geolocation.clearWatch(watch); watch = null; }
      return;
    }
    if (box && box.dataset.share !== here.dataset.share) stop();
    const fresh = box !== here;
    box = here;
    box.hidden = false;
    if (fresh) box.querySelector("button").addEventListener("click", () => (watch === null ? start() : stop()));
    if (watch !== null) show(box.dataset.on, true);
    else if (sessionStorage.getItem(key())) start();
  }
  document.addEventListener("telltale:renewed", look);
  look();
})();
