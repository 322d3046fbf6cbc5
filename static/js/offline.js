/* The page that is shown where there is no connection: it looks for one, and opens what was asked for when it is back.

   Shown in place of a page, it is at that page's address: to open that is to load it again. */
const { home, here, probe } = document.querySelector("script[data-probe]").dataset;
const status = document.querySelector("[data-offline-status]");
const SOONEST = 4;
const LATEST = 60;
const GROWTH = 1.5;
const PATIENCE = 10_000;

let pause = SOONEST;
let timer = null;
let looking = false;

function open() {
  if (location.pathname === here) location.replace(home);
  else location.reload();
}

/* Any answer will do: it came from somewhere. */
async function reached() {
  try {
    await fetch(probe, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE) });
    return true;
  } catch {
    return false;
  }
}

/* Only who asked is told that there is nothing: the page's own questions are quiet. */
async function look({ asked }) {
  if (looking) return;
  looking = true;
  clearTimeout(timer);
  if (asked) status.textContent = status.dataset.looking;
  const found = await reached();
  looking = false;
  if (found) {
    open();
    return;
  }
  if (asked) status.textContent = status.dataset.still;
  pause = Math.min(pause * GROWTH, LATEST);
  later();
}

function later() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(() => look({ asked: false }), pause * 1000);
}

addEventListener("online", () => look({ asked: false }));
document.addEventListener("visibilitychange", () => {
  pause = SOONEST;
  if (document.hidden) clearTimeout(timer);
  else look({ asked: false });
});
document.querySelector("[data-retry]").addEventListener("click", () => look({ asked: true }));
later();
