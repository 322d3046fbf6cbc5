"""What is cut off on a page, or hangs out of what it lies in, as the browser itself measures it."""

from playwright.sync_api import Page

# Wider than the window; wider than its own box; cut with dots without saying the whole in its title; or out of a card.
# A region that scrolls says so, by its role and by being reachable with the keyboard; fields scroll by themselves.
_MEASURE = """() => {
  const found = [];
  const name = (one) => `${one.tagName.toLowerCase()}.${one.className?.baseVal ?? one.className}`
    + ` "${one.textContent.trim().replace(/\\s+/g, " ").slice(0, 50)}"`;
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push(`the page: ${root.scrollWidth} > ${root.clientWidth}`);
  // Placed a little outside on purpose, so that their signs stand in line with the text.
  const hanging = ".favorite-button, .tabs, .header__nav";
  const hangsOut = (one, edge) => [...one.childNodes].some((child) => {
    if (child.nodeType === Node.TEXT_NODE) {
      const range = document.createRange();
      range.selectNodeContents(child);
      return range.getBoundingClientRect().right > edge;
    }
    if (child.nodeType !== Node.ELEMENT_NODE || child.matches(`.visually-hidden, ${hanging}`)) return false;
    const style = getComputedStyle(child);
    if (style.display === "none" || ["absolute", "fixed"].includes(style.position)) return false;
    return child.getBoundingClientRect().right > edge || (style.overflowX === "visible" && hangsOut(child, edge));
  });
  const scrollers = '[role="region"][tabindex][aria-label], .tabs, .code-text, .webhook__body, pre[tabindex]';
  const scrolls = (one) => one.closest(scrollers);
  // Stands in the window, whatever it lies in.
  const fixed = (one) => one && (getComputedStyle(one).position === "fixed" || fixed(one.parentElement));
  for (const one of document.body.querySelectorAll("*")) {
    if (!one.checkVisibility() || one.closest(".visually-hidden, svg, select")) continue;
    const head = one.closest("thead");
    if (head && getComputedStyle(head).clipPath !== "none") continue; // of a table that is a pile of cards
    const style = getComputedStyle(one);
    if (style.visibility === "hidden" || style.clipPath !== "none") continue;
    if (["INPUT", "TEXTAREA", "SELECT", "OPTION", "PROGRESS"].includes(one.tagName)) continue;
    const box = one.getBoundingClientRect();
    if (one.clientWidth && one.scrollWidth > one.clientWidth + 1 && !scrolls(one)) {
      const told = style.textOverflow === "ellipsis" && (one.title || one.closest("[title]"));
      const cut = style.overflowX !== "visible" || hangsOut(one, box.right + 1);
      if (cut && !told) found.push(`${name(one)}: ${one.scrollWidth} > ${one.clientWidth}`);
    }
    const card = one.parentElement?.closest(".card, td, th, .service-row, .number-card, .stat, .button, .tab");
    if (card && !scrolls(one) && box.width && style.position !== "absolute" && !fixed(one)) {
      const edge = card.getBoundingClientRect();
      const out = box.right > edge.right + 1 || box.left < edge.left - 1;
      if (out && !one.closest(hanging)) found.push(`${name(one)} hangs out of ${name(card)}`);
    }
  }
  for (const line of document.querySelectorAll(".row, .service-row, .number-offer, .header__inner, .search-box, tr")) {
    if (line.closest("thead")) continue;
    const boxes = [...line.children].filter((one) => one.checkVisibility() && !one.matches(".visually-hidden"));
    boxes.forEach((one, place) => boxes.slice(place + 1).forEach((other) => {
      const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      const near = line.matches("tr") ? 1 : -3; // cells of a table bring the space between them along
      if (wide > near && high > 1) found.push(`${name(one)} lies over ${name(other)}, or touches it`);
    }));
  }
  return [...new Set(found)];
}"""
_DRAWN = "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
_MENU = """() => [...document.querySelectorAll(".header__nav a")].flatMap((tab) => {
  const box = tab.getBoundingClientRect();
  const word = tab.querySelector(".header-tab__label").getBoundingClientRect();
  const cut = box.left < 0 || box.right > innerWidth || word.left < box.left - 1 || word.right > box.right + 1;
  return cut || box.height < 44 ? [`${tab.textContent.trim()}: ${box.left} to ${box.right}, ${box.height} high`] : [];
})"""


def cut_off(page: Page) -> list[str]:
    """Return what does not fit: elements with their widths, and the tabs of the menu that are not there whole."""
    page.evaluate(_DRAWN)  # a window that has just been resized measures with its old width until it is drawn anew
    return [*page.evaluate(_MEASURE), *page.evaluate(_MENU)]
