/* Keeps the head of a page true while it lies open: the balance, unread news, and how many orders and numbers are under
   way.

   The server says after how many seconds it is worth asking again. While nothing changes, and while it cannot be
   reached, the pauses grow; a tab that nobody sees asks nothing. What the last page knew is kept for the next one of
   the same tab, so that the figures stand there at once. */
const header = document.querySelector(".header[data-live]");
const showsNumbers = document.querySelector("[data-notices]") !== null;
const KEPT = "header";
const LONGEST = 300;
const GROWTH = 1.4;
const MOST_GROWTH = 6;
// Between two questions there is at least this much.
const SOON = 1;

let pause = 60;
let asked = 0;
let opened = true;
let timer = null;
let known = kept();

function kept() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEPT));
    if (header && found?.reader === header.dataset.reader) return found;
    sessionStorage.removeItem(KEPT);
  } catch {
    // Storage may be forbidden or damaged: then the figures come with the first answer.
  }
  return { reader: header?.dataset.reader, looked: 0 };
}

function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(known));
  } catch {
    // As above.
  }
}

/* Codes are news until their page has been opened. */
const freshCodes = (told) => (told.newest_code > (known.looked || 0) ? told.codes : 0);

/* On the page of the numbers a code is seen as it comes. */
function lookAtCodes() {
  if (showsNumbers && known.newest_code) known.looked = known.newest_code;
}

function showCount(name, figure, isNews) {
  const badge = header.querySelector(`[data-count="${name}"]`);
  if (!badge) return;
  badge.hidden = !figure;
  badge.toggleAttribute("data-news", isNews);
  badge.querySelector("b").textContent = figure > 99 ? "99+" : String(figure);
  for (const words of badge.querySelectorAll("[data-when]")) words.hidden = (words.dataset.when === "news") !== isNews;
}

function show(told) {
  const codes = freshCodes(told);
  showCount("orders", told.orders, false);
  showCount("numbers", codes || told.numbers, codes > 0);
  showCount("notices", told.notices, true);
}

/* Says aloud what has changed since the page was opened, and only that; the page of the numbers tells of codes itself. */
function announce(before, told) {
  const words = header.querySelector("[data-live-news]");
  const codes = showsNumbers ? 0 : freshCodes(told);
  const news = [
    told.balance !== before.balance && `${words.dataset.balanceIs}: ${told.balance}.`,
    told.orders !== before.orders && `${words.dataset.ordersAre}: ${told.orders}.`,
    codes > 0 && told.newest_code !== before.newest_code && `${words.dataset.codesAre}: ${codes}.`,
    told.notices > before.notices && `${words.dataset.noticesAre}: ${told.notices}.`,
  ];
  const said = news.filter(Boolean).join(" ");
  if (said) words.textContent = said;
}

function take(told) {
  const before = known;
  known = { ...told, reader: header.dataset.reader, looked: known.looked };
  lookAtCodes();
  header.querySelector("[data-balance]").textContent = told.balance;
  show(known);
  if (before.seen) announce(before, told);
  keep();
}

async function ask() {
  asked = Date.now();
  try {
    // What leads to this page is read: its reader is here. Said once, for news that come later are not.
    const here = opened ? `&here=${encodeURIComponent(location.pathname)}` : "";
    opened = false;
    const address = `${header.dataset.live}?seen=${known.seen || ""}${here}`;
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, redirect: "manual", cache: "no-store" });
    const leadsTo = answer.headers.get("HX-Redirect");
    if (leadsTo) return location.assign(leadsTo); // a look at a customer's pages is over
    if (answer.headers.has("HX-Refresh") || answer.type === "opaqueredirect") return forget(); // signed out elsewhere
    document.dispatchEvent(new Event("connection:answered"));
    if (answer.status === 200) {
      const told = await answer.json();
      pause = told.every_seconds;
      take(told);
    } else if (answer.status === 204) {
      pause = Math.min(pause * GROWTH, known.every_seconds * MOST_GROWTH);
    } else {
      pause *= 2;
    }
  } catch {
    pause *= 2;
  }
  askAfter(Math.min(pause, LONGEST));
}

function askAfter(seconds) {
  clearTimeout(timer);
  timer = document.hidden ? null : setTimeout(ask, seconds * 1000);
}

/* Somebody else may sign in next; a form that is being filled in stays as it is. */
function forget() {
  sessionStorage.removeItem(KEPT);
  for (const badge of header.querySelectorAll("[data-count]")) badge.hidden = true;
}

function askSoon() {
  pause = known.every_seconds || pause;
  askAfter(Math.max(SOON - (Date.now() - asked) / 1000, 0));
}

if (header) {
  pause = known.every_seconds || pause;
  lookAtCodes();
  keep();
  if (known.seen) show(known);
  ask();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else askSoon();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig?.verb === "post") askSoon(); // what was pressed is done by now
  });
  // Parts of a page that ask every few seconds rest while nobody sees them, but for those that ring.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches("[data-rests]")) event.preventDefault();
  });
}
