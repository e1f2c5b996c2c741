// The pages work without this file. It keeps an open page true (server-sent events, else a slow poll) and stops a second tap.
"use strict";
(() => {
  const main = document.getElementById("main");
  let busy = false, again = false; // what rings while we look is looked at afterwards
  const here = new URL(location.href);
  here.searchParams.delete("note"); // said once: a reload or a change does not say it again
  if (here.href !== location.href) history.replaceState(null, "", here);

  // A page that cannot be kept true says so, and since when.
  const old = document.createElement("p");
  old.className = "notice trouble old";
  old.setAttribute("role", "status");
  function stale(is) {
    if (is && !old.isConnected && main.dataset.stale) { old.textContent = main.dataset.stale; main.before(old); }
    if (!is) old.remove();
  }

  async function renew() {
    if (!main || document.hidden) return;
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.status === 410 || answer.redirected) { location.reload(); return; } // the link has ended, or they were signed out
      stale(answer.status >= 500);
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
      const typing = main.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
      if (!fresh || typing) return;
      main.dataset.stale = fresh.dataset.stale || "";
      if (state(fresh) === was) return;
      const open = [...main.querySelectorAll("details")].map((one) => one.open);
      was = state(fresh);
      main.replaceChildren(...fresh.childNodes);
      main.querySelectorAll("details").forEach((one, n) => { one.open = Boolean(open[n]); });
      document.dispatchEvent(new Event("telltale:renewed"));
    } catch { stale(true); /* the next bell or poll tries again */ } finally {
      busy = false;
      if (again) { again = false; renew(); }
    }
  }

  // What was just done is said once and is no part of the page's state: the first look must not wipe it away unread.
  function state(of) {
    const copy = of.cloneNode(true);
    copy.querySelectorAll(".notice").forEach((one) => one.remove());
    return copy.innerHTML.replace(/>\s+</g, "><");
  }

  let was = main ? state(main) : "";
  if (main && main.dataset.live) {
    if ("EventSource" in window) {
      const bell = new EventSource(main.dataset.live);
      bell.addEventListener("changed", renew);
      bell.addEventListener("open", renew); // what rang while we were away was missed
      bell.addEventListener("error", renew);
    }
    setInterval(renew, 20000);
    for (const moment of ["visibilitychange", "online", "offline", "pageshow"]) addEventListener(moment, renew, true);
  }

  // A driver in a tunnel: the press is kept and sent until an answer comes. The same step twice counts once.
  async function insist(form) {
    const data = new URLSearchParams(new FormData(form));
    const button = form.querySelector("button");
    const said = document.createElement("p");
    said.className = "notice trouble"; said.setAttribute("role", "alert");
    button.setAttribute("aria-busy", "true");
    for (;;) {
      try {
        const answer = await fetch(form.action, { method: "POST", body: data, cache: "no-store" });
        if (answer.ok) break;
        if (answer.status < 500) { location.reload(); return; }
        throw new Error(String(answer.status));
      } catch {
        if (!said.isConnected) { form.prepend(said); said.textContent = main.dataset.offline; }
        await new Promise((go) => { setTimeout(go, 2000); addEventListener("online", go, { once: true }); });
      }
    }
    said.remove();
    busy = false;
    await renew();
    button.removeAttribute("aria-busy");
  }

  document.addEventListener("submit", (event) => {
    const pressed = event.submitter;
    if (!pressed) return;
    if ("retry" in event.target.dataset) {
      event.preventDefault();
      if (pressed.getAttribute("aria-busy") !== "true") insist(event.target);
      return;
    }
    if (pressed.getAttribute("aria-busy") === "true") { event.preventDefault(); return; }
    pressed.setAttribute("aria-busy", "true");
    setTimeout(() => pressed.removeAttribute("aria-busy"), 8000);
  });
})();
