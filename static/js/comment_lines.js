/* Comments are counted as they are typed, so that the price beside them follows. The server counts again. */
const PAUSE_MS = 250;

for (const area of document.querySelectorAll("[data-counts-lines]")) {
  const counter = document.querySelector(area.dataset.countsLines);
  if (!counter) continue;
  let timer = 0;
  const countSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const lines = String(area.value.split("\n").filter((line) => line.trim()).length);
      if (lines === counter.value) return;
      counter.value = lines;
      counter.dispatchEvent(new Event("change", { bubbles: true }));
    }, PAUSE_MS);
  };
  area.addEventListener("input", countSoon);
  if (area.value !== area.defaultValue) countSoon(); // typed before this script came
}
