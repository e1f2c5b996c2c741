// A visit is moved by dragging its block along the hours. Seasoning: the form behind "Move" and the keyboard do the same, and the same code
// of the house checks each move. What was seen goes along, so that a drag of an older page changes nothing.
"use strict";
(() => {
  const { say, locale, known } = window.telltale;
  const SNAP = 2; // quarters of an hour
  let held = null;

  const day = () => document.querySelector(".day[data-times]");
  const times = () => JSON.parse(day().dataset.times);
  const shown = (instant) => new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone: day().dataset.zone, hourCycle: "h23" }).format(new Date(instant));

  function ready() {
    for (const block of document.querySelectorAll(".day [data-move]")) block.draggable = true;
  }

  function slot(event, lane) {
    const box = lane.getBoundingClientRect(), width = box.width / 48;
    return Math.max(0, Math.round((event.clientX - held.grip - box.left) / width / SNAP));
  }

  document.addEventListener("dragstart", (event) => {
    const block = event.target.closest && event.target.closest("[data-move]");
    if (!block) return;
    held = { block, lane: block.closest(".lane"), grip: event.clientX - block.getBoundingClientRect().left };
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", block.dataset.what);
    block.classList.add("dragged");
  });
  document.addEventListener("dragover", (event) => {
    if (!held || event.target.closest(".lane") !== held.lane) return;
    event.preventDefault();
    const mark = document.getElementById("drop-at"), at = times()[slot(event, held.lane)];
    if (mark && at) mark.textContent = shown(at);
  });
  document.addEventListener("dragend", () => {
    if (held) held.block.classList.remove("dragged");
    held = null;
    const mark = document.getElementById("drop-at");
    if (mark) mark.textContent = "";
  });
  document.addEventListener("drop", (event) => {
    if (!held || event.target.closest(".lane") !== held.lane) return;
    event.preventDefault();
    const to = times()[slot(event, held.lane)], { move, was, what } = held.block.dataset;
    if (to && Date.parse(to) !== Date.parse(was)) ask({ move, was, what, to });
  });

  // Nobody is texted by a slip of the hand.
  function ask({ move, was, what, to }) {
    const box = document.getElementById("moving"), problem = box.querySelector("[data-problem]"), go = box.querySelector("[data-go]");
    box.querySelector("[data-question]").textContent = say("{what}: from {was} to {to}?", { what, was: shown(was), to: shown(to) });
    box.querySelector("[data-form]").href = `/bookings/${move}/time?back=${encodeURIComponent(location.pathname + location.search)}`;
    problem.hidden = true;
    go.disabled = false;
    go.onclick = async () => {
      go.disabled = true;
      const key = [...crypto.getRandomValues(new Uint8Array(12))].map((n) => n.toString(16).padStart(2, "0")).join("");
      const answer = await fetch(`/api/v1/bookings/${move}/move`, {
        method: "POST", cache: "no-store", body: JSON.stringify({ starts_at: to, was }),
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": box.dataset.csrf, "Idempotency-Key": key },
      }).catch(() => null);
      if (answer && answer.ok) { window.location.reload(); return; }
      const told = answer ? await answer.json().catch(() => ({})) : {};
      const instead = (told.windows || []).map((one) => one.split("/").map(shown).join("–")).join(", ");
      const why = !answer ? say("The house cannot be reached.") : known(told.detail) ? say(told.detail) : say("That time is not free any more, or cannot be had.");
      problem.textContent = `${why}${instead ? say(" Free instead: {instead}.", { instead }) : ""}`;
      problem.hidden = false;
    };
    box.showModal();
  }

  document.addEventListener("htmx:after:swap", ready);
  ready();
})();
