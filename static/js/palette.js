/* The palette's list follows what is typed, and the arrows; focus stays in the field (the combobox pattern of ARIA). */
const PAUSE = 150;
let wired = null;

function wire(dialogs) {
  const dialog = dialogs.querySelector("[data-palette-dialog]");
  const field = dialog.querySelector("[role=combobox]");
  const list = dialog.querySelector("[role=listbox]");
  const count = dialog.querySelector("[data-palette-count]");
  const failed = dialog.querySelector("[data-palette-failed]");
  const before = list.innerHTML; // what is listed before anything is typed
  let asked = null;
  let pause = 0;
  let isOld = false; // something was typed since the list came
  let takesFirst = null; // Enter was pressed meanwhile: how

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  function show(markup) {
    list.innerHTML = markup;
    list.removeAttribute("aria-busy");
    failed.hidden = true;
    const found = options();
    choose(found[0]);
    const titles = [...list.querySelectorAll("[role=group]")].map(
      (group) => `${group.querySelector("[role=presentation]").textContent}: ${group.querySelectorAll("[role=option]").length}`,
    );
    count.textContent = titles.join(", ") || count.dataset.none;
    isOld = false;
    if (takesFirst) open(takesFirst);
  }

  /* A click, so that Ctrl and Shift open another tab or window as they do on links. */
  function open({ ctrlKey, metaKey, shiftKey }) {
    takesFirst = null;
    chosen()?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey, metaKey, shiftKey }));
  }

  async function ask() {
    asked?.abort();
    const words = field.value.trim();
    if (!words) {
      takesFirst = null;
      return show(before);
    }
    asked = new AbortController();
    list.setAttribute("aria-busy", "true");
    const address = new URL(field.dataset.address, location.href);
    address.searchParams.set("q", words);
    try {
      const answer = await fetch(address, { signal: asked.signal, headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.text());
    } catch (error) {
      if (error.name === "AbortError") return;
      list.removeAttribute("aria-busy");
      takesFirst = null;
      failed.hidden = false;
    }
  }

  function move(event) {
    const all = options();
    const place = all.indexOf(chosen());
    const places = {
      ArrowDown: (place + 1) % all.length,
      ArrowUp: (place - 1 + all.length) % all.length,
      PageDown: Math.min(place + 5, all.length - 1),
      PageUp: Math.max(place - 5, 0),
    };
    if (event.isComposing) return;
    if (event.key in places && all.length) {
      event.preventDefault();
      choose(all[places[event.key]]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (isOld) takesFirst = event; // what is listed is not what was asked for
      else open(event);
    }
  }

  field.addEventListener("input", () => {
    asked?.abort();
    clearTimeout(pause);
    isOld = true;
    takesFirst = null;
    pause = setTimeout(ask, PAUSE);
  });
  field.addEventListener("keydown", move);
  list.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== chosen()) choose(option);
  });
  // What was typed last is in the way when it is opened the next time.
  dialog.addEventListener("close", () => {
    clearTimeout(pause);
    asked?.abort();
    field.value = "";
    takesFirst = null;
    show(before);
    count.textContent = "";
  });
  choose(options()[0]);
  for (const each of dialogs.querySelectorAll("dialog")) {
    each.addEventListener("click", (event) => {
      if (event.target === each || event.target.closest("[data-close-dialog]")) each.close();
    });
  }
  // A page that the browser keeps for "back" is not to come back with a dialog open.
  addEventListener("pagehide", () => {
    for (const each of dialogs.querySelectorAll("dialog[open]")) each.close();
  });
  return dialogs;
}

export function openPalette(dialogs) {
  wired ??= wire(dialogs);
  dialogs.querySelector("[data-palette-dialog]").showModal();
}

/* `off` is the name under which the browser keeps that single keys are off. */
export function openHelp(dialogs, { off, areOff }) {
  wired ??= wire(dialogs);
  const dialog = dialogs.querySelector("[data-shortcuts-dialog]");
  const box = dialog.querySelector("[data-shortcuts-switch]");
  const dim = () => {
    for (const line of dialog.querySelectorAll("[data-single-keys]")) line.toggleAttribute("data-off", !box.checked);
  };
  box.checked = !areOff;
  box.onchange = () => {
    dim();
    try {
      if (box.checked) localStorage.removeItem(off);
      else localStorage.setItem(off, "1");
    } catch {
      // Storage may be forbidden; the keys then stay as they are.
    }
  };
  dim();
  if (!dialog.open) dialog.showModal();
}
