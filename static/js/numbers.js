/* Tells of a code that has just come, by a sound and in the tab's title; either can be switched off, and that is
   remembered here. htmx brings the cards in; a number that is "received" and was not before is the news. */
const notices = document.querySelector("[data-notices]");
let calmTitle = ""; // what the title was before the news
const receivedNow = () => [...document.querySelectorAll('.number-card[data-status="received"]')].map((card) => card.id);
const known = new Set(receivedNow());
let audio = null;

function isOn(name) {
  return notices.querySelector(`[data-notice="${name}"]`).getAttribute("aria-pressed") === "true";
}

function show(name, on) {
  notices.querySelector(`[data-notice="${name}"]`).setAttribute("aria-pressed", String(on));
}

function remember(name, on) {
  try {
    localStorage.setItem(`numbers-${name}`, on ? "on" : "off");
  } catch {
    // Storage may be forbidden; the choice then lasts until the next page.
  }
}

function recall(name) {
  try {
    if (localStorage.getItem(`numbers-${name}`) === "off") show(name, false);
  } catch {
    // As above: everything is on then.
  }
}

/* Browsers let a page make a sound only after the reader has touched it. */
function wakeAudio() {
  if (!window.AudioContext) return;
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume();
}

function ring() {
  if (audio?.state !== "running") return;
  for (const [hertz, after] of [[880, 0], [1320, 0.16]]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const start = audio.currentTime + after;
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.2, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.3);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.32);
  }
  notices.dataset.rang = String(Number(notices.dataset.rang || 0) + 1);
}

function calm() {
  if (!calmTitle || document.visibilityState !== "visible") return;
  document.title = calmTitle;
  calmTitle = "";
}

function tellOfNews() {
  const fresh = receivedNow().filter((id) => !known.has(id));
  if (!fresh.length) return;
  fresh.forEach((id) => known.add(id));
  if (isOn("sound")) ring();
  if (!isOn("title")) return;
  calmTitle ||= document.title;
  document.title = `✉ ${notices.dataset.title}`;
}

/* What is brought in anew is as its reader left it: the card they are at is not folded away (the server is told whose
   it is), and what they opened stays open. */
const cardInUse = () => document.activeElement?.closest(".number-card");
let opened = [];

document.addEventListener("htmx:configRequest", (event) => {
  const card = cardInUse();
  if (card) event.detail.headers["Number-In-Use"] = card.dataset.order;
});
document.addEventListener("htmx:beforeSwap", () => {
  opened = [...document.querySelectorAll("#numbers details[open][id]")].map((details) => details.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
});

if (notices) {
  ["sound", "title"].forEach(recall);
  notices.addEventListener("click", (event) => {
    const button = event.target.closest("[data-notice]");
    if (!button) return;
    const { notice } = button.dataset;
    const on = !isOn(notice);
    show(notice, on);
    remember(notice, on);
    if (notice === "sound" && on) {
      wakeAudio();
      ring();
    }
  });
  document.addEventListener("pointerdown", wakeAudio);
  document.addEventListener("keydown", wakeAudio);
  document.addEventListener("htmx:afterSettle", tellOfNews);
  for (const sign of ["pointerdown", "keydown", "visibilitychange"]) document.addEventListener(sign, calm);
  window.addEventListener("focus", calm);
}
