// The search box answers while somebody types, and the keyboard goes through lists. Without a script its form does the same.
"use strict";

(() => {
  const { say } = window.telltale;
  const box = document.getElementById("find");
  if (!box) return;
  const form = box.form, quick = document.getElementById("quick"), voice = document.getElementById("said");
  form.querySelector("[name=from]").value = window.location.pathname;
  let asked = "", waits = null;

  const close = () => { quick.hidden = true; box.setAttribute("aria-expanded", "false"); };
  const hits = () => [...quick.querySelectorAll(".hit")];
  const look = async () => {
    const text = box.value.trim();
    if (text === asked) return;
    asked = text;
    if (text.length < 2) { close(); return; }
    const query = new URLSearchParams({ q: text, from: window.location.pathname });
    const answer = await fetch(`/search?${query}`).catch(() => null);
    if (!answer || !answer.ok || text !== asked) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("found");
    if (!found || text !== asked) return;
    // What is shown twice has an id once: the page that shows it whole keeps its own.
    found.removeAttribute("id");
    found.querySelectorAll("[id]").forEach((one) => { one.id = `quick-${one.id}`; });
    found.querySelectorAll("[aria-labelledby]").forEach((one) => one.setAttribute("aria-labelledby", `quick-${one.getAttribute("aria-labelledby")}`));
    quick.replaceChildren(document.adoptNode(found));
    quick.hidden = false;
    box.setAttribute("aria-expanded", "true");
    if (voice) voice.textContent = found.dataset.count === "0" ? say("Nothing fits") : say("{count} found", { count: found.dataset.count });
  };
  box.addEventListener("input", () => { clearTimeout(waits); waits = setTimeout(look, 160); });
  box.addEventListener("focus", () => { if (quick.childElementCount && box.value.trim() === asked && asked.length > 1) { quick.hidden = false; box.setAttribute("aria-expanded", "true"); } });
  document.addEventListener("click", (event) => { if (!form.contains(event.target) && !quick.contains(event.target)) close(); });
  const walk = (event) => {
    if (event.key === "Escape") { box.focus(); close(); return; }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || quick.hidden) return;
    event.preventDefault();
    const all = [box, ...hits()], next = all.indexOf(document.activeElement) + step;
    (all[next] || (step > 0 ? all[all.length - 1] : box)).focus();
  };
  form.addEventListener("keydown", walk);
  quick.addEventListener("keydown", walk);

  // Single letters are keys only while nobody writes, and not for those who switched them off.
  const off = () => { try { return window.localStorage.getItem("single-keys") === "off"; } catch { return false; } };
  const choice = document.getElementById("single-keys");
  if (choice) {
    choice.closest("[data-single-keys]").hidden = false;
    choice.checked = !off();
    choice.addEventListener("change", () => { try { window.localStorage.setItem("single-keys", choice.checked ? "on" : "off"); } catch { /* then they stay on */ } });
  }
  const LINES = "#cases .car a, [data-lines] th a, [data-lines] .strong a, [data-lines] .from a";
  const step = (by) => {
    const lines = [...document.querySelectorAll(LINES)];
    const at = lines.findIndex((line) => line.closest("li, tr").contains(document.activeElement));
    const next = lines[at < 0 ? (by > 0 ? 0 : lines.length - 1) : Math.min(Math.max(at + by, 0), lines.length - 1)];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  };
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      box.focus();
      box.select();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || off() || event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    if (event.key === "/") { event.preventDefault(); box.focus(); box.select(); }
    else if (event.key === "?") window.location.assign("/keys");
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "x") {
      const line = document.activeElement.closest("#cases > li");
      const tick = line && line.querySelector("input[name=case]");
      if (tick) tick.checked = !tick.checked;
    }
    else if (event.key === "e") {
      const line = document.activeElement.closest("#cases > li");
      const act = line && line.querySelector(".go button, .go .button");
      if (act) act.click();
    }
  });
})();
