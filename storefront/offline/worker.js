/* The shop's service worker. All it does is to show a page of the shop's own where there is no connection.

   OFFLINE (version, page and assets) stands above this: storefront/offline/views.py writes it. Whatever can come from
   the network does. Kept are the offline page, which is the same for every reader of a language and was asked for
   without cookies, and the static files it is made of; no other page, and no answer to a form. Requests of scripts,
   polls among them, do not pass through here. */
const PREFIX = "offline-";
const CACHE = PREFIX + OFFLINE.version;
const ASSETS = new Set(OFFLINE.assets.map((asset) => new URL(asset, self.location).href));

const keptCaches = async () => (await caches.keys()).filter((name) => name.startsWith(PREFIX));

async function keep() {
  const cache = await caches.open(CACHE);
  const wanted = [OFFLINE.page, ...OFFLINE.assets];
  await cache.addAll(wanted.map((address) => new Request(address, { cache: "reload", credentials: "omit" })));
}

/* Pages are asked for while the worker starts, where the browser can: so it costs them no time. */
async function begin() {
  const old = (await keptCaches()).filter((name) => name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

async function leave() {
  await Promise.all((await keptCaches()).map((name) => caches.delete(name)));
  await self.registration.unregister();
}

/* A browser keeps a worker whose file is gone, so the worker looks after that itself. The browser's own cache answers
   most of these questions. */
async function leaveIfRemoved() {
  const { status } = await fetch(self.location.href);
  if (status === 404 || status === 410) await leave();
}

async function page(event) {
  try {
    const answer = (await event.preloadResponse) || (await fetch(event.request));
    event.waitUntil(leaveIfRemoved().catch(() => {}));
    return answer;
  } catch (failure) {
    const kept = await caches.match(OFFLINE.page, { cacheName: CACHE });
    if (kept) return kept;
    throw failure;
  }
}

async function asset(request) {
  try {
    return await fetch(request);
  } catch (failure) {
    const kept = await caches.match(request.url, { cacheName: CACHE });
    if (kept) return kept;
    throw failure;
  }
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keep());
});
self.addEventListener("activate", (event) => event.waitUntil(begin()));
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  if (event.request.mode === "navigate") event.respondWith(page(event));
  else if (ASSETS.has(event.request.url)) event.respondWith(asset(event.request));
});
