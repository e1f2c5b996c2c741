// The day sheet while the house cannot be reached: what was seen last, and of when it is. Only the sheet of today is kept, on this machine,
// until somebody signs out here, is let go, or a day and a half has passed.
"use strict";
const STORE = "telltale-day-1", SHEET = "/today?view=sheet", SLOW_MS = 5000, OLDEST_MS = 36 * 3600 * 1000;
const isFile = (url) => url.pathname.startsWith("/static/");

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// The kept copy says that it is one, without a script.
function marked(text) {
  const day = (/data-day="([^"]*)"/.exec(text) || [])[1] || "", clock = (/data-as-of="([^"]*)"/.exec(text) || [])[1] || "";
  return text
    .replace("<html ", '<html data-kept="yes" ')
    .replace('id="stale" role="status" hidden', 'id="stale" role="status"')
    .replace("<span data-as-of></span>", `<span data-as-of>${day}, ${clock}</span>`);
}

let forgotten = 0; // how often: what was asked for before that is not kept any more

async function keep() {
  const before = forgotten;
  const answer = await fetch(SHEET, { headers: { Accept: "text/html" }, cache: "no-store", credentials: "same-origin" });
  if (answer.redirected || answer.status === 401 || answer.status === 403) return void await caches.delete(STORE); // nobody is signed in here any more
  if (!answer.ok) return;
  const store = await caches.open(STORE);
  const headers = new Headers(answer.headers);
  headers.set("X-Kept-At", String(Date.now()));
  headers.delete("Set-Cookie");
  const text = marked(await answer.text());
  if (before === forgotten) await store.put(SHEET, new Response(text, { headers }));
}

async function keepFiles(paths) {
  const store = await caches.open(STORE);
  for (const path of paths) {
    const answer = await fetch(path);
    if (answer.ok) await store.put(path, answer);
  }
}

async function page(request) {
  const slow = new Promise((_, give) => { setTimeout(() => give(new Error("slow")), SLOW_MS); });
  try {
    const answer = await Promise.race([fetch(request), slow]);
    if (answer.status < 500) return answer;
    return (await kept()) || answer;
  } catch (error) {
    const found = await kept();
    if (found) return found;
    throw error;
  }
}

async function kept() {
  const found = await (await caches.open(STORE)).match(SHEET);
  return found && Date.now() - Number(found.headers.get("X-Kept-At")) < OLDEST_MS ? found : null;
}

async function file(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const found = await (await caches.open(STORE)).match(new URL(request.url).pathname);
    if (found) return found;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (isFile(url)) event.respondWith(file(event.request));
  else if (url.pathname === "/today" && event.request.mode === "navigate") event.respondWith(page(event.request));
});

self.addEventListener("message", (event) => {
  if (event.data && event.data.forget) {
    forgotten += 1;
    event.waitUntil(caches.delete(STORE));
  }
  if (!event.data || !event.data.keep) return;
  event.waitUntil((async () => {
    try { await keep(); await keepFiles(event.data.files || []); } catch { return; /* next time */ }
    if (event.source) event.source.postMessage({ kept: true });
  })());
});
