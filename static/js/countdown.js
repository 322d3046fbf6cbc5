/* Counts `<time data-countdown="seconds left">` down, also in parts that htmx brings in later. The server says how much
   is left, so that a wrong clock on the reader's side does not matter. */
const ends = new WeakMap();

function tick() {
  for (const clock of document.querySelectorAll("time[data-countdown]")) {
    if (!ends.has(clock)) ends.set(clock, Date.now() + Number(clock.dataset.countdown) * 1000);
    const seconds = Math.max(0, Math.round((ends.get(clock) - Date.now()) / 1000));
    const shown = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (clock.textContent !== shown) clock.textContent = shown;
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener("htmx:load", tick);
