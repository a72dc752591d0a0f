// Brings what is shown to what a fresh copy says, keeping every node that is still there: focus, selection and scrolling stay where they are.
export function merge(old, now) {
  const rows = [...old.querySelectorAll("a[href]")], at = rows.indexOf(document.activeElement);
  blend(old, now);
  if (at < 0 || old.contains(document.activeElement)) return;
  const left = old.querySelectorAll("a[href]");  // the line that had the focus is gone: its neighbour has it now
  left[Math.min(at, left.length - 1)]?.focus({ preventScroll: true });
}

function blend(old, now) {
  if (old.isEqualNode(now)) return;
  if (old.nodeType !== 1) return void (old.data = now.data);
  if ("own" in old.dataset || typing(old)) return;
  for (const { name, value } of [...now.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  children(old, now);
}

// A form in which somebody types is left alone, and what a script keeps (data-own) is the script's.
function typing(element) {
  return element.matches("form") && element.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
}

function children(old, now) {
  const wanted = new Set([...now.childNodes].map(mark).filter(Boolean)), held = new Map();
  for (const child of [...old.childNodes]) {
    const known = mark(child);
    if (known && !wanted.has(known)) child.remove();
    else if (known) held.set(known, child);
  }
  let place = old.firstChild;
  for (const child of [...now.childNodes]) {
    const known = mark(child), found = known ? held.get(known) : place && !mark(place) ? place : null;
    if (!found || found.nodeType !== child.nodeType || found.nodeName !== child.nodeName) {
      const fresh = document.importNode(child, true);
      if (known && fresh.matches("tr, li")) fresh.classList.add("fresh");
      old.insertBefore(fresh, place);
      continue;
    }
    if (found === place) place = place.nextSibling;
    else old.insertBefore(found, place);
    blend(found, child);
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

// By what a node is known again: its id, or for a line of a list the address it leads to.
function mark(node) {
  if (node.nodeType !== 1) return "";
  return node.id || (node.matches("tr, li") && node.querySelector("a[href]")?.getAttribute("href")) || "";
}
