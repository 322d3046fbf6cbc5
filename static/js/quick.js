/* Quick order: the picker follows what is typed and the arrows while focus stays in its field (the combobox pattern of
   ARIA); what was typed into the order form outlives another choice; a list of links is offered as a mass order. */
const field = document.getElementById("quick-picker");
const popup = document.querySelector("[data-picker-popup]");
const status = document.querySelector("[data-picker-status]");
const KEPT = ["link", "quantity", "comments", "coupon"];
let isOld = false; // something was typed since the list came
let takesFirst = false; // Enter was pressed meanwhile
let kept = null; // what was typed into the form that another one takes the place of

const options = () => [...popup.querySelectorAll("[role=option]")];
const active = () => popup.querySelector("[aria-selected=true]");
const isOpen = () => !popup.hidden;

function choose(option) {
  active()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

function open() {
  if (isOpen()) return;
  popup.hidden = false;
  field.setAttribute("aria-expanded", "true");
  choose(options()[0]);
}

function close() {
  popup.hidden = true;
  field.setAttribute("aria-expanded", "false");
  choose(null);
}

function move(event) {
  if (event.isComposing) return;
  const all = options();
  const place = all.indexOf(active());
  const last = all.length - 1;
  const places = {
    ArrowDown: place === last ? 0 : place + 1,
    ArrowUp: place <= 0 ? last : place - 1,
    PageDown: Math.min(place + 5, last),
    PageUp: Math.max(place - 5, 0),
  };
  if (event.key in places) {
    event.preventDefault();
    if (isOpen()) choose(all[places[event.key]]);
    else open();
  } else if (event.key === "Enter") {
    event.preventDefault(); // the form around it is for those without script
    if (!isOpen()) open();
    else if (isOld) takesFirst = true; // what is listed is not what was asked for
    else active()?.click();
  } else if (event.key === "Escape" && isOpen()) {
    event.preventDefault();
    close();
  }
}

function say(words) {
  status.textContent = words;
}

/* The answer to what is typed: the first one is chosen, so that Enter takes it. */
function listed() {
  const found = options();
  isOld = false;
  choose(isOpen() ? found[0] : null);
  if (isOpen()) say(found.length ? `${status.dataset.found} ${found.length}` : status.dataset.none);
  if (takesFirst) active()?.click();
  takesFirst = false;
}

function typed() {
  open();
  isOld = true;
  takesFirst = false;
  choose(null);
}

field.addEventListener("keydown", move);
field.addEventListener("input", typed);
field.addEventListener("click", open);
field.addEventListener("blur", close);
popup.addEventListener("mousedown", (event) => event.preventDefault()); // focus stays in the field
popup.addEventListener("pointermove", (event) => {
  const option = event.target.closest("[role=option]");
  if (option && option !== active()) choose(option);
});

const orderForm = () => document.getElementById("order-form");
const chosen = () => document.getElementById("quick-chosen");

function keep() {
  const form = orderForm();
  kept = { delivery: chosen().dataset.delivery, values: {} };
  for (const name of form ? KEPT : []) {
    const value = form.elements[name]?.value;
    if (value) kept.values[name] = value;
  }
}

function giveBack() {
  const form = orderForm();
  const { values, delivery } = kept || { values: {} };
  for (const [name, value] of Object.entries(form ? values : {})) {
    const control = form.elements[name];
    const isOther = name === "link" && delivery !== chosen().dataset.delivery; // an address is no link
    if (!control || control.type === "hidden" || control.value || isOther) continue;
    control.value = value;
    control.dispatchEvent(new Event(control.matches("input[hx-trigger*=typed-before]") ? "typed-before" : "input", { bubbles: true }));
  }
  kept = null;
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.id === "quick-chosen") keep();
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id === "quick-found") listed();
  if (event.detail.target?.id !== "quick-chosen" && event.target.id !== "quick-chosen") return;
  const name = document.getElementById("chosen-name")?.textContent;
  close();
  field.value = "";
  say(name ? `${status.dataset.chosen} ${name}` : "");
  giveBack();
  const first = orderForm()?.querySelector("textarea, input:not([type=hidden])");
  (first || chosen().querySelector("a, button"))?.focus();
});

/* Several lines where one link is asked for. */
function countLinks(area) {
  const offer = area.form?.querySelector("[data-several]");
  if (!offer) return;
  const count = area.value.split(/[\r\n]+/).filter((line) => line.trim()).length;
  offer.querySelector("[data-several-count]").textContent = count;
  offer.hidden = count < 2;
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-many]")) countLinks(event.target);
});
document.addEventListener("keydown", (event) => {
  const area = event.target;
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || !area.matches("[data-many]")) return;
  if (/[\r\n]/.test(area.value.trim())) return; // a list goes on
  event.preventDefault();
  area.form.requestSubmit();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-fill-link]");
  const area = link && orderForm()?.elements.link;
  if (!area || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  area.value = link.dataset.fillLink;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
});
for (const area of document.querySelectorAll("[data-many]")) countLinks(area);
