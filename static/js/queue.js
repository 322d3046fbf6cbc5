/* "j" and "k" move through the lines of the admin's queues from anywhere on the page, the arrows once one has the focus.
   Lines are links: Enter opens them. A link or button with `data-key` is pressed by that key, from anywhere as well. */
import { areOff, isTyping, letter } from "./keys.js";

const STEPS = { j: 1, k: -1, arrowdown: 1, arrowup: -1 };
const lines = [...document.querySelectorAll("[data-queue] a")];
const keyed = [...document.querySelectorAll("[data-key]")];

function isShown(element) {
  return element !== null && element.getClientRects().length > 0;
}

/* What a dialog asks for first, so that whoever opened it by a key goes on by keys. */
function enter(event) {
  if (event.detail.target.id !== "modal-content") return;
  const first = event.detail.target.querySelector("input:not([type=hidden]), textarea, select, button[type=submit]");
  requestAnimationFrame(() => requestAnimationFrame(() => first?.focus()));
}

function pressed(event) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (isTyping(event.target) || isShown(document.getElementById("modal-content"))) return;
  const key = letter(event);
  const button = keyed.find((one) => one.dataset.key === key);
  if (button && !areOff()) {
    if (event.repeat) return; // held down: it has been pressed once
    event.preventDefault();
    button.click();
    return;
  }
  const step = STEPS[key];
  const place = lines.indexOf(document.activeElement);
  const isArrow = key.startsWith("arrow");
  if (!step || (isArrow ? place < 0 : areOff())) return;
  const next = lines[place < 0 ? (step > 0 ? 0 : lines.length - 1) : place + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

if (lines.length || keyed.length) document.addEventListener("keydown", pressed);
if (keyed.length) document.addEventListener("htmx:afterSettle", enter);
