// Small helpers of the desk. Every page works without them; they only save a look or a click.
"use strict";

(() => {
  const { say, locale } = window.telltale;

  // The business clock of a time-lapse ticks between two page loads.
  const banner = document.querySelector(".lapse[data-speed]");
  if (banner) {
    const { anchor, started, speed, zone } = banner.dataset;
    const face = banner.querySelector("[data-clock]");
    const shown = new Intl.DateTimeFormat(locale, {
      weekday: "short", day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: zone, hourCycle: "h23",
    });
    const tick = () => {
      const now = Number(anchor) + Math.max(0, Date.now() / 1000 - Number(started)) * Number(speed);
      const part = Object.fromEntries(shown.formatToParts(new Date(now * 1000)).map((p) => [p.type, p.value]));
      face.textContent = locale !== "en-GB" ? shown.format(new Date(now * 1000)) : `${part.weekday} ${part.day} ${part.month} ${part.year}, ${part.hour}:${part.minute}`;
    };
    tick();
    setInterval(tick, 1000);
  }

  // A conversation opens at its newest line.
  const toEnd = () => document.querySelectorAll(".talk.scrolls").forEach((talk) => { talk.scrollTop = talk.scrollHeight; });
  toEnd();

  // What was not on the page before is shown as new, once.
  const known = new Set([...document.querySelectorAll("[data-new]")].map((row) => row.dataset.new));
  document.addEventListener("htmx:after:swap", () => {
    document.querySelectorAll("[data-new]").forEach((row) => {
      if (!known.has(row.dataset.new)) {
        known.add(row.dataset.new);
        row.classList.add("fresh");
        const said = document.getElementById("said");
        if (said) said.textContent = say("New: {row}", { row: row.dataset.say || "" });
      }
    });
    toEnd();
  });

  // A page that hears nothing says so, and looks again as soon as it is heard again (also after the tab was in the background).
  const stale = document.getElementById("stale");
  const live = document.getElementById("live");
  let connected = false, alarm = null;
  // htmx may start before its extension has come; the connection is made when both are surely there.
  window.addEventListener("load", () => setTimeout(() => {
    if (!live || !window.htmx) return;
    live.setAttribute("hx-sse:connect", live.dataset.events);
    window.htmx.process(live);
  }));
  // Signed out elsewhere, or let go: the page says so instead of standing there as if it still heard anything.
  const stillIn = async () => {
    const answer = await fetch("/api/v1/session", { cache: "no-store" }).catch(() => null);
    if (answer && answer.status === 401) window.location.assign(`/sign-in?next=${encodeURIComponent(window.location.pathname + window.location.search)}`);
    else if (answer && answer.status === 403) window.location.assign("/security");
  };
  document.addEventListener("htmx:sse:before:connection", () => {
    if (connected) stillIn();
    if (!connected || alarm || !stale || document.hidden) return;
    alarm = setTimeout(() => {
      const main = document.getElementById("main");
      stale.querySelector("[data-as-of]").textContent = main ? main.dataset.asOf : "";
      stale.hidden = false;
    }, 2500);
  });
  document.addEventListener("htmx:sse:after:connection", () => {
    clearTimeout(alarm);
    alarm = null;
    if (stale) stale.hidden = true;
    connected = true;
    // Also the first time: something may have happened between the drawing of the page and now.
    if (window.htmx && live) window.htmx.trigger(live, "everything");
  });

  // Two clicks, not four: a second press of a button while the first is on its way does nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sending) { event.preventDefault(); return; }
    form.dataset.sending = "yes";
    setTimeout(() => { delete form.dataset.sending; }, 4000);
  });

  // A select that only filters sends its form itself; without a script the button beside it does.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-send]")) event.target.form.requestSubmit();
  });
})();
