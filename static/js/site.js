/* What CSS and htmx cannot do: the theme switch, the copy buttons, and a word when a request failed. */
const root = document.documentElement;

function toggleTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  try {
    localStorage.setItem("theme", next);
  } catch {
    // Storage may be forbidden; the choice then lasts until the next page.
  }
}

/* Without a clipboard of its own, as on plain HTTP, a page may still copy what is selected. */
function copySelected(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true; // no keyboard comes up on a phone
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

async function copyText(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    const copied = copySelected(button.dataset.copy);
    button.focus();
    if (!copied) return;
  }
  const label = button.querySelector("[data-copy-label]");
  if ("copied" in button.dataset) return;
  const swap = () => {
    [label.textContent, label.dataset.other] = [label.dataset.other, label.textContent.trim()];
  };
  swap();
  button.dataset.copied = "";
  setTimeout(() => {
    swap();
    delete button.dataset.copied;
  }, 2000);
}

/* A table that has room enough is no stop for the keyboard. */
const regions = new ResizeObserver((entries) => {
  for (const { target } of entries) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
});

function watchRegions(part) {
  for (const region of part.querySelectorAll(".table-region")) regions.observe(region);
}

/* Of tabs that scroll, the one that is chosen is in sight. */
function showTab(chosen) {
  const tabs = chosen.closest(".tabs");
  tabs.scrollLeft = chosen.offsetLeft - tabs.offsetLeft - tabs.clientWidth / 3;
}

/* Controls that need script are hidden in the page and shown here, also in parts that htmx brings in later. */
function revealScripted(part) {
  for (const control of part.querySelectorAll("[data-scripted]")) {
    control.hidden = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if ("themeSwitch" in button.dataset) toggleTheme();
  if ("copy" in button.dataset) copyText(button);
});

/* A select that filters applies itself; its submit button stays for those without script. */
document.addEventListener("change", (event) => {
  if ("submits" in event.target.dataset) event.target.form.requestSubmit();
});

/* What was typed before the scripts came, or was brought back by the browser, is answered too. */
function answerEarlyTyping(part) {
  for (const field of part.querySelectorAll("input[hx-trigger*=typed-before]")) {
    if (field.value !== field.defaultValue) field.dispatchEvent(new Event("typed-before"));
  }
}

document.addEventListener("htmx:load", (event) => {
  revealScripted(event.detail.elt);
  answerEarlyTyping(event.detail.elt);
  watchRegions(event.detail.elt);
});

/* Two notes: nothing came back at all, or an answer that was none. Any answer proves the connection; only a good one
   takes the other note away. */
function showFailure(name, shown) {
  const note = document.querySelector(`[data-failed-request="${name}"]`);
  if (note) note.hidden = !shown;
}
for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, () => {
    showFailure("answer", false);
    showFailure("connection", true);
  });
}
document.addEventListener("htmx:afterRequest", (event) => {
  const status = event.detail.xhr?.status;
  if (!status) return;
  showFailure("connection", false);
  showFailure("answer", status >= 400 && status !== 422);
});
document.addEventListener("connection:answered", () => showFailure("connection", false));

/* Who has signed out leaves no balance behind for the next one at this device: live.js kept it for the tab. */
function forgetReader() {
  if (document.querySelector(".header[data-live]")) return;
  try {
    sessionStorage.removeItem("header");
  } catch {
    // Storage may be forbidden: nothing was kept then.
  }
}

forgetReader();
revealScripted(document);
watchRegions(document);
for (const chosen of document.querySelectorAll(".tabs [aria-current]")) showTab(chosen);
