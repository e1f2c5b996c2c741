// The driver's pages without a network: what was seen last is shown, and the page says of when it is.
"use strict";
const STORE = "telltale-driver-1";
const TIMEOUT_MS = 5000;
const isFile = (url) => url.pathname.startsWith("/pages/");
const isPage = (url) => /^\/(d\/[\w-]+|driver)(\/handover)?$/.test(url.pathname);

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function fresh(request, store) {
  const answer = await fetch(request);
  if (answer.ok && !answer.redirected) await store.put(request.url, answer.clone());
  else if (answer.status === 404 || answer.status === 410 || answer.redirected) await store.delete(request.url); // it has ended: nothing of it stays
  return answer;
}

async function page(request) {
  const store = await caches.open(STORE);
  const slow = new Promise((_, give) => { setTimeout(() => give(new Error("slow")), TIMEOUT_MS); });
  try {
    return await Promise.race([fresh(request, store), slow]);
  } catch (error) {
    const kept = (await store.match(request.url)) || (await store.match(request.url, { ignoreSearch: !request.url.includes("/handover") }));
    if (kept) return kept;
    throw error;
  }
}

async function file(request) {
  const store = await caches.open(STORE);
  return (await store.match(request.url)) || fresh(request, store);
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (isFile(url)) event.respondWith(file(event.request));
  else if (isPage(url) && event.request.mode === "navigate") event.respondWith(page(event.request));
});

self.addEventListener("message", (event) => {
  const keep = (event.data && event.data.keep) || [];
  event.waitUntil((async () => {
    const store = await caches.open(STORE);
    for (const path of keep) {
      const url = new URL(path, self.location.origin);
      if (isFile(url) ? await store.match(url.href) : !isPage(url)) continue;
      try { await fresh(new Request(url.href, { headers: { Accept: "text/html" }, cache: "no-store" }), store); } catch { return; /* next time */ }
    }
    if (event.source) event.source.postMessage({ kept: true });
  })());
});
