/* Single keys, as every script that listens to them takes them: which letter, whether it is typed, whether they are off. */
export const OFF = "shortcuts-off";

export function areOff() {
  try {
    return localStorage.getItem(OFF) !== null;
  } catch {
    return false; // Storage may be forbidden.
  }
}

/* A box that is ticked takes no letters; the one in a dialog has the focus for a moment after that has closed. */
const TYPED_INTO = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [role=textbox]";

export function isTyping(target) {
  return target.isContentEditable || target.closest?.(TYPED_INTO);
}

/* The letter that the key writes; where the keyboard is set to another alphabet, the one that stands on the key. */
export function letter(event) {
  const isLatin = event.key.length === 1 && event.key.charCodeAt(0) < 128;
  const other = /^Key([A-Z])$/.exec(event.code);
  return (isLatin || !other ? event.key : other[1]).toLowerCase();
}
