/* Counts `<time data-countdown datetime="…">` down to its moment, also in parts that htmx brings in later. */
function tick() {
  for (const clock of document.querySelectorAll("time[data-countdown]")) {
    const seconds = Math.max(0, Math.round((Date.parse(clock.dateTime) - Date.now()) / 1000));
    const shown = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (clock.textContent !== shown) clock.textContent = shown;
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener("htmx:load", tick);
