// 特急 at this computer: a notice on the desktop and a sound, for whoever has asked for them; the choice is kept in this browser.
const name = "remind-" + document.body.dataset.node;
const able = "Notification" in window;

function state() {
  if (!able) return "unable";
  if (Notification.permission === "denied") return "denied";
  return Notification.permission === "granted" && localStorage.getItem(name) === "on" ? "on" : "off";
}

// The box of the home page in which one asks for it.
export function remind() {
  const box = document.querySelector("[data-remind]");
  if (!box) return;
  show(box);
  box.addEventListener("click", async (event) => {
    const turn = event.target.closest("[data-turn]")?.dataset.turn;
    if (!turn) return;
    if (turn === "on") await Notification.requestPermission();
    localStorage.setItem(name, turn);
    show(box);
    if (state() === "on") ring(box.dataset.sample, { tag: "sample" });
  });
}

function show(box) {
  const now = state();
  box.hidden = false;
  box.querySelector("[data-state]").textContent = box.dataset[now];
  for (const button of box.querySelectorAll("[data-turn]")) button.hidden = !(button.dataset.turn === "on" ? now === "off" : now === "on");
}

// The sound is heard unless it was turned off; the desktop says it only where that was asked for.
export function ring(title, { tag, url = "" }) {
  if (localStorage.getItem(name) !== "off") chime();
  if (state() !== "on") return;
  const notice = new Notification(title, { tag, requireInteraction: true });
  notice.onclick = () => { window.focus(); notice.close(); if (url) location.href = url; };
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
