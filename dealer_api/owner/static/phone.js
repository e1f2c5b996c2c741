// Texts arrive by themselves, badges count what was not looked at, links can be tapped. Without this file the page still works.
"use strict";
(() => {
  const number = document.body.dataset.number;
  const talk = document.getElementById("talk");
  const seen = (of) => Number(localStorage.getItem(`seen ${of}`) || 0);
  const see = (of, id) => { if (id > seen(of)) localStorage.setItem(`seen ${of}`, String(id)); };

  function linked(paragraph) {
    const parts = paragraph.textContent.split(/(https?:\/\/[^\s]+[^\s.,;:!?)])/);
    if (parts.length < 2) return;
    paragraph.replaceChildren(...parts.map((part, n) => {
      if (n % 2 === 0) return document.createTextNode(part);
      const link = document.createElement("a");
      link.href = part; link.textContent = part; link.target = "_blank"; link.rel = "noreferrer";
      return link;
    }));
  }
  const toEnd = () => { if (talk) talk.scrollTop = talk.scrollHeight; };

  function bubble(text) {
    const box = document.createElement("div");
    const words = document.createElement("p");
    const at = document.createElement("span");
    box.className = `bubble ${text.mine ? "mine" : "theirs"} new`;
    box.dataset.id = text.key;
    words.textContent = text.body; at.className = "at"; at.textContent = text.time;
    box.append(words, at);
    linked(words);
    return box;
  }

  async function look() {
    try {
      const answer = await fetch(`/phone/texts${number ? `?to=${encodeURIComponent(number)}` : ""}`, { cache: "no-store" });
      if (!answer.ok) return;
      const now = await answer.json();
      if (talk) {
        const there = new Set([...talk.querySelectorAll(".bubble")].map((one) => one.dataset.id));
        const fresh = now.bubbles.filter((one) => !there.has(one.key));
        if (fresh.length) {
          talk.querySelectorAll(".empty, .waiting").forEach((one) => one.remove());
          fresh.forEach((one) => talk.append(bubble(one)));
          toEnd();
        }
        offer(now.quick);
        const clock = document.getElementById("clock");
        if (clock) clock.textContent = now.clock;
      }
      for (const handset of now.handsets) badge(handset);
    } catch { /* the next look tries again */ }
  }

  // The newest text says what it wants to be answered with.
  function offer(words) {
    const form = document.querySelector(".quick");
    if (!form || [...form.querySelectorAll("button")].map((one) => one.value).join() === words.join()) return;
    form.querySelectorAll("button").forEach((one) => one.remove());
    form.append(...words.map((word) => {
      const button = document.createElement("button");
      button.name = "body"; button.value = word; button.textContent = word;
      return button;
    }));
  }

  function badge(handset) {
    const link = document.querySelector(`.handsets a[data-number="${CSS.escape(handset.number)}"]`);
    if (!link) { location.reload(); return; }
    if (handset.number === number && !document.hidden) see(number, handset.texts);
    const unread = Math.max(0, handset.texts - seen(handset.number));
    const mark = link.querySelector(".badge");
    mark.hidden = unread === 0;
    mark.textContent = mark.dataset.words.replace("#", String(unread));
    link.querySelector(".snippet").textContent = handset.snippet;
    link.querySelector(".side .at").textContent = handset.time;
  }

  document.querySelectorAll(".bubble p").forEach(linked);
  toEnd();
  const trouble = document.querySelector(".trouble");
  document.querySelectorAll(".compose form").forEach((form) => form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const data = new FormData(form, event.submitter);
    const body = String(data.get("body") || "").trim();
    if (!body) return;
    data.set("id", crypto.randomUUID());
    data.delete("back");
    const waiting = bubble({ mine: true, body, time: "", key: "waiting" });
    waiting.classList.add("waiting");
    talk.querySelectorAll(".empty").forEach((one) => one.remove());
    talk.append(waiting); toEnd();
    form.reset();
    trouble.hidden = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(data) });
      if (!answer.ok) throw new Error(String(answer.status));
      await look();
    } catch { trouble.hidden = false; }
    waiting.remove();
  }));
  look();
  setInterval(look, 700);
})();
