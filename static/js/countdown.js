/* Counts `<time data-countdown="seconds left">` down, and the ring around it, also in parts that htmx brings in later.
   The server says how much is left, so that a wrong clock on the reader's side does not matter. */
const LOW = 0.2; // of the whole: the ring says so by its color
const ends = new WeakMap();

function turn(ring, seconds) {
  const share = Math.min(1, seconds / Number(ring.dataset.whole));
  ring.style.setProperty("--left", share.toFixed(4));
  ring.toggleAttribute("data-ticking", true);
  ring.toggleAttribute("data-low", share < LOW);
}

function tick() {
  for (const clock of document.querySelectorAll("time[data-countdown]")) {
    if (!ends.has(clock)) ends.set(clock, Date.now() + Number(clock.dataset.countdown) * 1000);
    const seconds = Math.max(0, Math.round((ends.get(clock) - Date.now()) / 1000));
    const shown = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (clock.textContent !== shown) clock.textContent = shown;
    const ring = clock.closest(".ring");
    if (ring) turn(ring, seconds);
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener("htmx:load", tick);
