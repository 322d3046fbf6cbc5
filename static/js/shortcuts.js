/* Keys that lead somewhere: "/" to the search, "g" and another to a page, "?" to the list of them, Ctrl-K to the palette.
   What they open is fetched the first time, with the addresses for this reader. */
import { OFF, areOff, isTyping, letter } from "./keys.js";

const BETWEEN_KEYS = 1500;
const source = document.querySelector("script[data-palette-address]").dataset.paletteAddress;
const isApple = /Mac|iPhone|iPad/.test(navigator.platform);
let loading = null;
let leader = 0; // when "g" was pressed

function nameTheCommandKey(part) {
  if (isApple) for (const key of part.querySelectorAll("[data-command-key]")) key.textContent = "⌘";
}

async function load() {
  const answer = await fetch(source, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const part = document.createElement("template");
  part.innerHTML = await answer.text();
  const dialogs = part.content.querySelector("[data-palette]");
  document.body.append(dialogs);
  nameTheCommandKey(dialogs);
  return { dialogs, ...(await import(dialogs.dataset.script)) };
}

/* Both dialogs, and what opens them; without them the keys do nothing. */
function dialogs() {
  loading ??= load().catch(() => {
    loading = null;
    return null;
  });
  return loading;
}

async function openPalette() {
  const loaded = await dialogs();
  if (loaded && !document.querySelector("dialog[open]")) loaded.openPalette(loaded.dialogs);
}

async function openHelp() {
  const loaded = await dialogs();
  if (!loaded) return;
  document.querySelector("[data-palette-dialog][open]")?.close();
  loaded.openHelp(loaded.dialogs, { off: OFF, areOff: areOff() });
}

function focusSearch() {
  const fields = [...document.querySelectorAll("main input[type=search]")];
  const field = fields.find((each) => each.checkVisibility?.() ?? each.offsetParent);
  if (!field) return openPalette();
  field.focus();
  field.select();
}

async function follow(keys) {
  const loaded = await dialogs();
  const link = loaded?.dialogs.querySelector(`a[data-keys="${CSS.escape(keys)}"]`);
  if (link) location.assign(link.href);
}

function pressed(event) {
  if (event.defaultPrevented || event.isComposing || event.repeat || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const command = isApple ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  if (command && !event.altKey && !event.shiftKey && letter(event) === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  // A shift is part of "?" on most keyboards, and of "/" on some.
  const isShifted = event.shiftKey && !"/?".includes(event.key);
  if (event.ctrlKey || event.metaKey || event.altKey || isShifted || event.key.length !== 1 || areOff()) return;
  const key = letter(event);
  if (Date.now() - leader < BETWEEN_KEYS) {
    leader = 0;
    event.preventDefault();
    follow(`g ${key}`);
  } else if (key === "g") {
    leader = Date.now();
    dialogs();
  } else if (event.key === "/" || event.key === "?") {
    event.preventDefault();
    if (event.key === "/") focusSearch();
    else openHelp();
  }
}

document.addEventListener("keydown", pressed);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-palette-open]")) openPalette();
  if (event.target.closest("[data-shortcuts-open]")) openHelp();
});
nameTheCommandKey(document);
