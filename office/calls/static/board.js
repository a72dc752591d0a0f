// The board of a call: notes, captions and a whiteboard that everybody writes on. What stands there is asked for when its size has changed.
const box = document.getElementById("call"), words = JSON.parse(box?.dataset.words || "{}");
const sheet = box?.querySelector(".call-board"), paper = sheet?.querySelector("svg"), caption = box?.querySelector(".call-caption");
const SHOWN = 8000, NEAR = 4;  // milliseconds for which a caption stands, and units between two points of a stroke
let size = -1, send = null, hiding = 0, last = "", pen = null;

// Called with each state of the room; ``ask`` speaks with the portal.
export async function boarded(state, ask) {
  send = ask;
  if (state.board === size) return;
  const first = size < 0, found = await ask("board");
  size = found.size;
  listed("notes", found.notes);
  const said = found.captions.at(-1);
  if (said && said.id !== last) { last = said.id; if (!first) spoken(said); }
  draw(found.sheets.at(-1) || []);
}

export const acts = {
  board: async (_person, button) => {
    sheet.hidden = !sheet.hidden;
    button.textContent = sheet.hidden ? words.board : words.unboard;
    button.setAttribute("aria-expanded", String(!sheet.hidden));
  },
  clear: () => put("clear", ""),
};

const put = (what, text) => send("mark", { what, text });

box?.addEventListener("keydown", async (event) => {
  const what = event.target.dataset?.put, text = event.target.value?.trim();
  if (!what || event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  if (!text || !send) return;
  event.target.value = "";
  try { await put(what, text); } catch (error) { event.target.value = text; box.querySelector(".call-state").textContent = error.message; }
});

function spoken(said) {
  caption.textContent = said.who + "：" + said.text;
  caption.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { caption.hidden = true; }, SHOWN);
}

function listed(name, lines) {
  const list = document.querySelector(`[data-kept="${name}"]`);
  if (!list || list.children.length === lines.length) return;
  document.querySelector(".call-nothing")?.remove();
  list.replaceChildren(...lines.map((one) => {
    const line = document.createElement("li"), who = document.createElement("span");
    who.className = "hint";
    who.textContent = one.who;
    line.append(one.text + " ", who);
    return line;
  }));
}

function draw(strokes) {
  paper.replaceChildren(...strokes.map(([kind, points]) => stroke(kind, points)), ...(pen ? [pen.line] : []));
}

function stroke(kind, points) {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  line.setAttribute("class", "pen" + kind);
  line.setAttribute("points", points);
  return line;
}

function point(event) {
  const area = paper.getBoundingClientRect(), { width, height } = paper.viewBox.baseVal;
  const within = (value, most) => Math.round(Math.min(most, Math.max(0, value)));
  return [within(((event.clientX - area.left) * width) / area.width, width), within(((event.clientY - area.top) * height) / area.height, height)];
}

paper?.addEventListener("pointerdown", (event) => {
  if (event.button || !send) return;
  paper.setPointerCapture(event.pointerId);
  const kind = sheet.querySelector("[name=pen]:checked").value;
  pen = { kind, points: [point(event)], line: stroke(kind, "") };
  paper.append(pen.line);
});

paper?.addEventListener("pointermove", (event) => {
  if (!pen) return;
  const [x, y] = point(event), [fromX, fromY] = pen.points.at(-1);
  if (Math.hypot(x - fromX, y - fromY) < NEAR) return;
  pen.points.push([x, y]);
  pen.line.setAttribute("points", text(pen.points));
  if (pen.points.length >= 400) finish();
});

for (const event of ["pointerup", "pointercancel"]) paper?.addEventListener(event, () => finish());

const text = (points) => points.map((one) => one.join(",")).join(" ");

function finish() {
  if (!pen) return;
  const { kind, points } = pen;
  if (points.length === 1) points.push(points[0]);
  pen = null;
  put("stroke", kind + " " + text(points)).catch((error) => { box.querySelector(".call-state").textContent = error.message; });
}
