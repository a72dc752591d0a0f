// One stream a browser: one tab holds it (whoever has the lock) and tells the others. An event only says "look".
import { toast } from "./toast.js";

const node = document.body.dataset.node;
const hall = new BroadcastChannel("yiwang-" + node);
let pending = 0, pressing = false;

export function follow() {
  hall.onmessage = (event) => heard(event.data);
  if (!navigator.locks) return listen();
  navigator.locks.request("yiwang-stream-" + node, () => new Promise((done) => listen(done)));
}

function listen(done = () => {}) {
  const stream = new EventSource(document.body.dataset.live);
  for (const topic of ["entries", "lines", "urgent", "deadline", "signed_out"]) {
    stream.addEventListener(topic, () => { heard(topic); hall.postMessage(topic); if (topic === "signed_out") { stream.close(); done(); } });
  }
}

function heard(topic) {
  if (topic === "signed_out") return toast(document.body.dataset.tongue === "en" ? "You have been signed out." : "登录已超时，请重新登录。", { href: "/signin" });
  if (topic === "urgent" || topic === "deadline") pressing = true;
  clearTimeout(pending);
  pending = setTimeout(look, (pressing ? 50 : 300) + Math.random() * (pressing ? 250 : 700));  // several rings, one look; not all browsers in the same instant
}

// What presses is looked at in a hidden tab too: it must sound there.
async function look() {
  if (document.hidden && !pressing && !("Notification" in window && Notification.permission === "granted")) return;
  pressing = false;
  await swap(location.href);
  await tell();
}

// Put the parts of a fresh copy of the page in place of those shown, but never where somebody is typing.
export async function swap(url) {
  const answer = await fetch(url, { headers: { "X-Part": "1" } }).catch(() => null);
  if (!answer || !answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-part]")) {
    const now = fresh.getElementById(old.id);
    if (now && now.outerHTML !== old.outerHTML && !old.contains(document.activeElement)) old.replaceWith(document.adoptNode(now));
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
    if (matter.urgency === "flash") chime();
    if ("Notification" in window && Notification.permission === "granted") new Notification(matter.title, { tag: mark });
  }
  localStorage.setItem("told-" + node, JSON.stringify([...told].slice(-200)));
}

function chime() {
  try {
    const audio = new AudioContext();
    for (const [at, pitch] of [[0, 880], [0.18, 660], [0.36, 880]]) {
      const tone = audio.createOscillator(), volume = audio.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.15, audio.currentTime + at);
      volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.16);
      tone.connect(volume).connect(audio.destination);
      tone.start(audio.currentTime + at);
      tone.stop(audio.currentTime + at + 0.17);
    }
  } catch { /* a browser may not play before the first click */ }
}

addEventListener("visibilitychange", () => { if (!document.hidden && document.body.dataset.live) heard("entries"); });
