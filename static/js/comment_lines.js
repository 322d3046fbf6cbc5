/* Comments are counted as they are typed, so that the price beside them follows. The server counts again, and counts
   alike: lines end at LF, CRLF and CR, and one in which nothing is seen is none (upstream/reading/text.py). */
const PAUSE_MS = 250;
const LINE_ENDS = /\r\n|\n|\r/;
const DRAWN_MARKS = "\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}";
const FILLERS = "\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u2065\u2800\u3164\uFE00-\uFE0F\uFFA0\uFDD0-\uFDEF\uFFF0-\uFFF8\uFFFE\uFFFF\u{E0000}-\u{E0FFF}";
const UNSEEN = new RegExp(`^(?:(?![${DRAWN_MARKS}])[\\s\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}${FILLERS}])*$`, "u");

function count(area) {
  const counter = document.querySelector(area.dataset.countsLines);
  if (!counter) return;
  let timer = 0;
  const countSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const lines = String(area.value.split(LINE_ENDS).filter((line) => !UNSEEN.test(line)).length);
      if (lines === counter.value) return;
      counter.value = lines;
      counter.dispatchEvent(new Event("change", { bubbles: true }));
    }, PAUSE_MS);
  };
  area.addEventListener("input", countSoon);
  if (area.value !== area.defaultValue) countSoon(); // typed before this script came
}

const known = new WeakSet();

function countAll(part) {
  for (const area of part.querySelectorAll("[data-counts-lines]")) {
    if (known.has(area)) continue;
    known.add(area);
    count(area);
  }
}

countAll(document);
document.addEventListener("htmx:load", (event) => countAll(event.detail.elt)); // a form that was brought in later
