// The printed sheet beside what is typed: asked for when typing has stopped, one question at a time, and the old sheet stays until the new one is there.
const english = document.body.dataset.tongue === "en";
const REST = 1500, AGAIN = 6000;  // milliseconds without a key before it is asked for; until it is asked again where many are printing

export function preview(box) {
  const form = box.closest("form"), place = box.querySelector("[data-pages]"), note = box.querySelector("[data-note]");
  let timer = 0, asking = false, shown = "";
  box.hidden = false;
  box.open = localStorage.getItem("preview") === "open";
  const later = (rest) => { clearTimeout(timer); timer = setTimeout(ask, rest); };
  form.addEventListener("input", () => { if (box.open) later(REST); });
  box.addEventListener("toggle", () => { localStorage.setItem("preview", box.open ? "open" : ""); if (box.open) later(0); });
  if (box.open) later(0);

  async function ask() {
    const said = typed(form);
    if (!box.open || !form.isConnected || form.dataset.sent || said === shown) return;
    if (asking) return later(REST);
    asking = true;
    note.textContent = english ? "Printing …" : "正在排印……";
    const answer = await fetch(box.dataset.preview, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(said) }).catch(() => null);
    const found = answer ? await answer.json().catch(() => null) : null;
    asking = false;
    if (answer && answer.ok && found) { shown = said; show(found); }
    else if (!answer || (found && found.code === "busy")) { note.textContent = english ? "Not just now, it will be tried again." : "暂时排印不了，稍后再试。"; later(AGAIN); }
    else { shown = said; note.textContent = (found && (found.detail || found.title)) || (english ? "Cannot be printed." : "不能排印。"); }
    if (typed(form) !== said) later(REST);
  }

  function show(found) {
    const top = place.scrollTop;
    place.replaceChildren(...found.pages.map((source, at) => {
      const page = new Image();
      page.alt = english ? `Page ${at + 1}` : `第 ${at + 1} 页`;
      page.src = source;
      return page;
    }));
    place.scrollTop = top;
    const more = found.count - found.pages.length;
    note.textContent = (english ? `${found.count} page(s)` : `共 ${found.count} 页`) + (more > 0 ? (english ? `, the first ${found.pages.length} are shown` : `，只显示前 ${found.pages.length} 页`) : "");
  }
}

function typed(form) {
  const found = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && !/^(_draft|word_.*)$/.test(name)) found.append(name, value);
  return found.toString();
}
