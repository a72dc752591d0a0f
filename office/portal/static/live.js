// One stream a browser: one tab holds it (whoever has the lock) and tells the others. An event only says "look".
import { toast } from "./toast.js";
import { merge } from "./merge.js";
import { ring } from "./remind.js";

const node = document.body.dataset.node;
const hall = new BroadcastChannel("yiwang-" + node);
const GAP = 4000;  // milliseconds between two looks where nothing presses: a busy hour must not be paid for by everybody's every page
let pending = 0, pressing = false, last = 0;

export function follow() {
  hall.onmessage = (event) => heard(event.data);
  if (!navigator.locks) return listen();
  navigator.locks.request("yiwang-stream-" + node, () => new Promise((done) => listen(done)));
}

function listen(done = () => {}) {
  const stream = new EventSource(document.body.dataset.live + "?age=" + Math.ceil(performance.now()));  // what came while the page was on its way
  for (const topic of ["entries", "lines", "urgent", "deadline", "signed_out"]) {
    stream.addEventListener(topic, () => { heard(topic); hall.postMessage(topic); if (topic === "signed_out") { stream.close(); done(); } });
  }
}

function heard(topic) {
  if (topic === "signed_out") return toast(document.body.dataset.tongue === "en" ? "You have been signed out." : "登录已超时，请重新登录。", { href: "/signin" });
  if (topic === "urgent" || topic === "deadline") pressing = true;
  else if (pending) return;  // several rings, one look
  clearTimeout(pending);
  const calm = Math.max(300, last + GAP - Date.now());
  pending = setTimeout(look, (pressing ? 50 : calm) + Math.random() * (pressing ? 250 : 700));  // not all browsers in the same instant
}

// What presses is looked at in a hidden tab too: it must sound there.
async function look() {
  pending = 0;
  if (document.hidden && !pressing) return;
  pressing = false;
  last = Date.now();
  await swap(location.href);
  await tell();
}

// Bring the parts of the page to what a fresh copy of it says.
export async function swap(url) {
  const answer = await fetch(url, { headers: { "X-Part": "1" } }).catch(() => null);
  if (!answer || !answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-part]")) {
    const now = fresh.getElementById(old.id);
    if (now) merge(old, now);
  }
}

async function tell() {
  const answer = await fetch("/todo.json").catch(() => null);
  if (!answer || !answer.ok) return;
  const told = new Set(JSON.parse(localStorage.getItem("told-" + node) || "[]"));
  const english = document.body.dataset.tongue === "en", found = await answer.json();
  const words = english ? { near: "Due soon: ", passed: "Overdue: " } : { near: "即将到期：", passed: "已超期：" };
  const alerts = found.alerts.map((one) => ({ ...one, title: words[one.why] + one.title, mark: one.url + "#" + one.why }));
  for (const matter of [...found.urgent, ...alerts]) {
    const mark = matter.mark || matter.url;
    if (told.has(mark)) continue;
    told.add(mark);
    toast(matter.title, { href: matter.url, urgent: true });
    if (matter.urgency === "flash") ring(matter.title, { tag: mark, url: matter.url });
  }
  localStorage.setItem("told-" + node, JSON.stringify([...told].slice(-200)));
}

addEventListener("visibilitychange", () => { if (!document.hidden && document.body.dataset.live) heard("entries"); });
