// The driver's pages work without this file, with a network. With it they work without one: what is pressed, photographed and
// signed waits on the phone, says so, and is sent in its order as soon as there is a network again.
"use strict";
(() => {
  const body = document.body, here = body.dataset.here, main = document.getElementById("main");
  const SIDE = 1600, QUALITY = 0.82, AGAIN_MS = 4000;
  const say = body.dataset;

  // ---- what waits, in this phone's own store
  const opened = new Promise((good, bad) => {
    const asked = indexedDB.open("telltale-driver", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("queue", { keyPath: "id", autoIncrement: true });
    asked.onsuccess = () => good(asked.result);
    asked.onerror = () => bad(asked.error);
  });
  async function store(mode, work) {
    const base = await opened;
    return new Promise((good, bad) => {
      const deal = base.transaction("queue", mode), asked = work(deal.objectStore("queue"));
      deal.oncomplete = () => good(asked.result);
      deal.onerror = () => bad(deal.error);
    });
  }
  const waiting = async () => (await store("readonly", (queue) => queue.getAll())).filter((one) => one.here === here);
  const put = (one) => store("readwrite", (queue) => queue.put(one));
  const drop = (id) => store("readwrite", (queue) => queue.delete(id));

  async function keep(one) {
    await put({ here, at: new Date().toISOString(), ...one });
    await show();
    send();
  }

  // ---- sending, one after the other; what is refused stands there with its reason and holds up its own drive only
  let sending = false, again = null;
  async function send() {
    if (sending) return;
    sending = true;
    clearTimeout(again);
    const held = new Set();
    let sent = false;
    try {
      for (const one of await waiting()) {
        if (held.has(one.leg)) continue;
        if (one.refused) { held.add(one.leg); continue; }
        const form = new FormData();
        for (const [name, value] of one.fields) form.append(name, value);
        if (one.blob) form.append("photo", one.blob, "photo.jpg");
        const data = one.blob ? form : new URLSearchParams(one.fields);
        const answer = await fetch(one.url, { method: "POST", body: data, headers: { Accept: "application/json" }, cache: "no-store" });
        if (answer.ok) { await drop(one.id); sent = true; continue; }
        if (answer.status >= 500 || answer.status === 408) throw new Error(String(answer.status));
        const problem = await answer.json().catch(() => ({}));
        held.add(one.leg);
        await put({ ...one, refused: problem.words || problem.detail || String(answer.status) });
      }
    } catch { /* no network: what waits goes on waiting */ } finally {
      sending = false;
      await show();
      if ((await waiting()).some((one) => !one.refused)) again = setTimeout(send, AGAIN_MS);
      if (sent) document.dispatchEvent(new Event("telltale:sent"));
    }
  }
  for (const moment of ["online", "pageshow", "focus"]) addEventListener(moment, send);

  // ---- what the page says of it
  async function show() {
    const queue = await waiting(), box = document.getElementById("queue");
    if (box) {
      box.hidden = !queue.length;
      const lines = queue.map((one) => {
        const line = document.createElement("li"), words = document.createElement("span"), undo = document.createElement("button");
        line.className = one.refused ? "refused" : "";
        words.textContent = one.refused ? `${one.label}: ${one.refused}` : one.label;
        undo.type = "button"; undo.className = "tool"; undo.textContent = one.refused ? say.drop : say.undo;
        undo.setAttribute("aria-label", `${undo.textContent}: ${one.label}`);
        undo.addEventListener("click", async () => { if (!sending) { await drop(one.id); await show(); } });
        line.append(words, undo);
        return line;
      });
      const title = document.createElement("p"), list = document.createElement("ul");
      title.className = "strong";
      title.textContent = queue.some((one) => one.refused) ? say.failed : `${say.waits}: ${queue.length}`;
      list.append(...lines);
      box.replaceChildren(title, list);
    }
    steps(queue);
    shots(queue);
  }

  // The next step is the first that is neither made nor waiting.
  function steps(queue) {
    for (const card of document.querySelectorAll("[data-leg].leg")) {
      const mine = queue.filter((one) => String(one.leg) === card.dataset.leg);
      const recorded = new Set(mine.filter((one) => one.what === "record").map((one) => one.kind));
      const made = new Set(mine.filter((one) => one.what === "step").map((one) => one.event));
      let next = null;
      for (const form of card.querySelectorAll("form[data-step]")) {
        const blocked = form.dataset.needs && !recorded.has(form.dataset.needs);
        const is = !next && !made.has(form.dataset.step);
        form.hidden = !is || Boolean(blocked);
        if (is) next = form;
      }
      for (const link of card.querySelectorAll("[data-record]")) link.classList.toggle("done", recorded.has(link.dataset.record));
      for (const undo of card.querySelectorAll("form[data-undo]")) undo.hidden = made.size > 0;
    }
  }

  function shots(queue) {
    const record = document.querySelector("form.record");
    if (!record) return;
    const mine = queue.filter((one) => one.what === "photo" && String(one.leg) === record.dataset.leg && one.kind === record.dataset.kind);
    for (const shot of document.querySelectorAll(".shot")) {
      const count = mine.filter((one) => one.view === shot.dataset.view).length;
      if (count) shot.classList.add("done");
    }
  }

  // ---- photos: made smaller here, so that they go through a thin network, and kept until they have gone
  async function smaller(file) {
    try {
      const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
      const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(picture.width * scale); canvas.height = Math.round(picture.height * scale);
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      return await new Promise((good) => { canvas.toBlob((blob) => good(blob || file), "image/jpeg", QUALITY); });
    } catch { return file; /* what we cannot read the house may, or it says why not */ }
  }
  const fresh = () => [...crypto.getRandomValues(new Uint8Array(12))].map((n) => n.toString(16).padStart(2, "0")).join("");
  for (const form of document.querySelectorAll("form.shoot")) {
    const input = form.querySelector("input[type=file]"), record = document.querySelector("form.record");
    form.querySelector("button").hidden = true;
    input.addEventListener("change", async () => {
      const [file] = input.files;
      if (!file) return;
      const blob = await smaller(file), view = form.elements.view.value;
      const preview = document.createElement("img");
      preview.alt = form.dataset.label; preview.src = URL.createObjectURL(blob);
      form.querySelector(".count").replaceChildren(preview);
      form.closest(".shot").classList.add("done");
      const fields = [...new FormData(form)].filter(([name]) => name !== "photo" && name !== "key");
      await keep({
        what: "photo", leg: record.dataset.leg, kind: record.dataset.kind, view, url: form.getAttribute("action"), blob,
        fields: [...fields, ["key", fresh()]], label: `${say.photo}: ${form.dataset.label}`,
      });
      input.value = "";
    });
  }

  // ---- steps
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-step]")) return;
    event.preventDefault();
    event.stopPropagation();
    const button = form.querySelector("button");
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    await keep({
      what: "step", event: form.dataset.step, leg: form.elements.leg.value, url: form.getAttribute("action"), fields: [...new FormData(form)],
      label: button.textContent.trim(),
    });
    button.removeAttribute("aria-busy");
  }, true);

  // ---- the record
  const record = document.querySelector("form.record");
  if (record) {
    const pad = record.querySelector("[data-pad]"), canvas = pad.querySelector("canvas"), pen = canvas.getContext("2d");
    const strokes = [];
    pad.hidden = false;
    const ink = () => {
      pen.clearRect(0, 0, canvas.width, canvas.height);
      pen.lineWidth = 4; pen.lineCap = pen.lineJoin = "round"; pen.strokeStyle = getComputedStyle(canvas).color;
      for (const stroke of strokes) {
        pen.beginPath();
        for (let n = 0; n < stroke.length; n += 2) pen.lineTo((stroke[n] * canvas.width) / 1000, (stroke[n + 1] * canvas.height) / 1000);
        pen.stroke();
      }
      record.elements.signature.value = strokes.length ? JSON.stringify(strokes) : "";
    };
    const point = (event) => {
      const box = canvas.getBoundingClientRect(), into = (at) => Math.max(0, Math.min(1000, Math.round(at * 1000)));
      return [into((event.clientX - box.left) / box.width), into((event.clientY - box.top) / box.height)];
    };
    let drawing = null;
    canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      drawing = point(event);
      if (strokes.length < 60) strokes.push(drawing);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drawing || drawing.length > 1000) return;
      drawing.push(...point(event));
      ink();
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { drawing = null; ink(); });
    pad.querySelector("[data-clear]").addEventListener("click", () => { strokes.length = 0; ink(); });

    // Damage: a tap on the outline fills the first free line.
    const outline = record.querySelector(".outline"), marks = outline.querySelector(".marks");
    const lines = () => [...record.querySelectorAll(".harm")];
    const dots = () => {
      marks.replaceChildren(...lines().flatMap((line) => {
        const [x, y] = line.querySelector("select").value.split(",").map(Number);
        if (!line.querySelector("select").value) return [];
        const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
        dot.setAttribute("cx", 12 + x * 296); dot.setAttribute("cy", 16 + y * 118); dot.setAttribute("r", 8);
        return [dot];
      }));
    };
    outline.addEventListener("click", (event) => {
      const box = outline.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width * 320 - 12) / 296, y = ((event.clientY - box.top) / box.height * 150 - 16) / 118;
      if (x < 0 || x > 1 || y < 0 || y > 1) return;
      let line = lines().find((one) => !one.querySelector("select").value);
      if (!line) {
        if (lines().length >= 40) return;
        line = lines()[0].cloneNode(true);
        line.querySelector("input").value = "";
        lines().at(-1).after(line);
      }
      const value = `${x.toFixed(3)},${y.toFixed(3)}`, choose = line.querySelector("select");
      choose.append(new Option(record.querySelector(".damage legend").textContent, value, false, true));
      dots();
      line.querySelectorAll("select")[1].focus();
    });
    record.addEventListener("change", dots);

    const problem = record.querySelector("[data-problem]");
    record.addEventListener("submit", async (event) => {
      event.preventDefault();
      const sides = [...document.querySelectorAll(".shot")].slice(0, 4).filter((one) => !one.classList.contains("done"));
      const signed = strokes.flat().length >= 8 || record.elements.code.value.trim();
      if (sides.length || !signed) {
        problem.textContent = sides.length ? record.dataset.photos : record.dataset.sign;
        problem.hidden = false;
        problem.scrollIntoView({ block: "center" });
        return;
      }
      record.elements.made_at.value = new Date().toISOString();
      await keep({
        what: "record", leg: record.dataset.leg, kind: record.dataset.kind, url: record.getAttribute("action"),
        fields: [...new FormData(record)], label: say.record,
      });
      location.assign(record.dataset.day);
    });
  }

  // ---- a sent step can be taken back for a minute
  for (const undo of document.querySelectorAll("form[data-undo]")) setTimeout(() => undo.remove(), Number(undo.dataset.undo));

  // ---- an app: its pages open without a network, too
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.addEventListener("message", (event) => { if (event.data.kept) body.dataset.kept = "yes"; });
    navigator.serviceWorker.register("/driver-worker.js", { scope: here }).then(() => navigator.serviceWorker.ready).then((ready) => {
      const pages = [location.pathname + location.search, here, ...[...document.querySelectorAll("a[data-keep]")].map((link) => link.getAttribute("href"))];
      const files = [...document.querySelectorAll("link[rel=stylesheet], script[src], link[rel=icon]")].map((one) => new URL(one.src || one.href).pathname);
      ready.active.postMessage({ keep: [...new Set([...pages, ...files])] });
    }).catch(() => { /* then with a network only */ });
  }
  document.addEventListener("telltale:renewed", show);
  show().then(send);
  if (main) main.dataset.ready = "yes";
})();
