/* "j" and "k" move through the lines of the admin's queue from anywhere on the page, the arrows once one has the focus.
   Lines are links: Enter opens them. */
const OFF = "shortcuts-off"; // as shortcuts.js keeps that single keys are off
const STEPS = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 };
const TYPED_INTO = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [role=textbox]";
const lines = [...document.querySelectorAll("[data-queue] a")];

function areOff() {
  try {
    return localStorage.getItem(OFF) !== null;
  } catch {
    return false; // Storage may be forbidden.
  }
}

/* The letter on the key, also where the keyboard is set to another alphabet. */
function named(event) {
  const other = /^Key([JK])$/.exec(event.code);
  return other ? other[1].toLowerCase() : event.key;
}

function pressed(event) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.target.isContentEditable || event.target.closest?.(TYPED_INTO)) return;
  const key = named(event);
  const step = STEPS[key];
  const place = lines.indexOf(document.activeElement);
  const isArrow = key.startsWith("Arrow");
  if (!step || (isArrow ? place < 0 : areOff())) return;
  const next = lines[place < 0 ? (step > 0 ? 0 : lines.length - 1) : place + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

if (lines.length) document.addEventListener("keydown", pressed);
