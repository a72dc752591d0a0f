// A call in the browser: one connection sends, one receives; who comes or goes makes a new version, and what is received is asked for anew.
import { acts as writing, boarded } from "./board.js";
import { acts as leading, led, main } from "./lead.js";

const box = document.getElementById("call");
const me = box?.dataset.me, names = JSON.parse(box?.dataset.names || "{}"), words = JSON.parse(box?.dataset.words || "{}");
const tiles = box?.querySelector(".tiles"), line = box?.querySelector(".call-state");
const LAYERS = [{ rid: "q", scaleResolutionDownBy: 4, maxBitrate: 120000 }, { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 400000 }, { rid: "f", maxBitrate: 1200000 }];
const EACH = 1500, AGAIN = 5000;  // milliseconds between two looks at who is there, and until what nobody answered is sent anew
const sent = new Map();  // "camera" or "screen" to {pc, stream}
let received = null, version = "", tracks = [], timer = 0, large = "", joined = false, asking = false, sizes = "", lead = "";

box?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]"), tile = event.target.closest(".tile");
  if (button && leading[button.dataset.act]) leading[button.dataset.act](button.dataset.person).then(() => look()).catch((error) => say(error.message));
  else if (button && writing[button.dataset.act]) writing[button.dataset.act](button.dataset.person, button).catch((error) => say(error.message));
  else if (button) acts[button.dataset.act]?.();
  else if (tile) { large = large === tile.dataset.key ? "" : tile.dataset.key; arrange(); }
});

const acts = { join, leave: () => leave(), mute: () => toggle("audio", "mute", "unmute"), dark: () => toggle("video", "dark", "light"), share };

async function ask(verb, fields = {}) {
  const answer = await fetch(box.dataset.url + "/" + verb, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": document.body.dataset.csrf }, body: JSON.stringify(fields) });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(found.detail || found.title || answer.status), { code: found.code || "" });
  return found;
}

async function join() {
  say("");
  const stream = await devices();
  joined = true;
  shown();
  try {
    if (stream) { listen(stream); await send("camera", stream); }
    await look();
  } catch (error) { say(words.failed.replace("{why}", error.message)); }
  timer = setInterval(() => look().catch(lost), EACH);
}

// Camera and voice, else voice alone, else nothing: whoever has no device may still look on.
async function devices() {
  const voice = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }, camera = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 20 } };
  for (const [wanted, note] of [[{ audio: voice, video: camera }, ""], [{ audio: voice }, words.voice]]) {
    const found = await navigator.mediaDevices?.getUserMedia(wanted).catch(() => null);
    if (found) { say(note); return found; }
  }
  say(words.alone);
  return null;
}

async function send(what, stream) {
  sent.get(what)?.pc.close();
  const pc = new RTCPeerConnection();
  const held = { pc, stream, answered: false, at: Date.now() };
  sent.set(what, held);
  for (const track of stream.getTracks()) {
    const layered = track.kind === "video" && what === "camera";
    const way = pc.addTransceiver(track, { direction: "sendonly", streams: [stream], ...(layered ? { sendEncodings: LAYERS } : {}) });
    const wanted = RTCRtpSender.getCapabilities(track.kind).codecs.filter((one) => ["audio/opus", "video/vp8"].includes(one.mimeType.toLowerCase()));
    if (way.setCodecPreferences) way.setCodecPreferences(wanted);
  }
  pc.onconnectionstatechange = () => { if (pc.connectionState === "failed" && sent.get(what)?.pc === pc) send(what, stream).catch(lost); };
  await pc.setLocalDescription(await pc.createOffer());
  const { sdp } = await ask("publish", { what, description: pc.localDescription.sdp });
  await pc.setRemoteDescription({ type: "answer", sdp });
  held.answered = true;
  arrange();
}

// Who is here, and whether anything came or went. A relay that was started again knows nothing of us: we send anew.
async function look() {
  if (asking || !joined) return;
  asking = true;
  try {
    const state = await ask("state");
    for (const one of state.members) names[one.person] = one.name;
    for (const [what, { pc, stream, answered, at }] of sent) {
      const stuck = answered ? pc.connectionState === "connected" : Date.now() - at > AGAIN;
      if (stuck && !state.streams.some((one) => one.person === me && one.what === what)) await send(what, stream);
    }
    led(state, ask);
    await boarded(state, ask);
    if (main() !== lead) { lead = main(); arrange(); }
    for (const tile of tiles.children) held(tile, state.streams.find((one) => one.kind === "video" && one.person === tile.dataset.person && one.what === tile.dataset.what)?.held);
    say(state.members.length > 1 ? words.here.replace("{n}", state.members.length) : words.waiting);
    if (state.version !== version || received?.connectionState === "failed") await receive();
    for (const tile of tiles.children) tile.classList.toggle("speaks", state.speaking.includes(tile.dataset.person) && tile.dataset.what === "camera");
    await quality();
  } finally { asking = false; }
}

async function receive() {
  const offer = await ask("view");
  version = offer.version;
  const former = received;
  if (!offer.sdp) { received = null; tracks = []; former?.close(); return arrange(); }
  const pc = new RTCPeerConnection(), found = new Map(offer.tracks.map((one) => [one.mid, { ...one }]));
  received = pc;
  pc.ontrack = (event) => { const one = found.get(event.transceiver.mid); if (one) { one.track = event.track; event.track.onunmute = arrange; } };
  await pc.setRemoteDescription({ type: "offer", sdp: offer.sdp });
  await pc.setLocalDescription(await pc.createAnswer());
  await ask("answer", { view: offer.view, description: pc.localDescription.sdp });
  await connected(pc);
  tracks = [...found.values()].filter((one) => one.track);
  sizes = "";
  arrange();
  former?.close();  // what was seen before stays until what follows is there
}

function connected(pc) {
  return new Promise((done) => {
    const check = () => { if (["connected", "failed", "closed"].includes(pc.connectionState)) done(); };
    pc.addEventListener("connectionstatechange", check);
    check();
    setTimeout(done, 10000);
  });
}

// One tile a camera or screen: one's own first.
function arrange() {
  const wanted = new Map();
  for (const [what, { stream }] of sent) wanted.set(me + "." + what, { person: me, what, tracks: stream.getVideoTracks(), mine: true });
  for (const one of tracks) {
    const key = one.person + "." + one.what;
    if (!wanted.has(key)) wanted.set(key, { person: one.person, what: one.what, tracks: [] });
    wanted.get(key).tracks.push(one.track);
  }
  for (const tile of [...tiles.children]) if (!wanted.has(tile.dataset.key)) tile.remove();
  for (const [key, one] of wanted) fill(tiles.querySelector(`[data-key="${CSS.escape(key)}"]`) || tiles.appendChild(tile(key, one)), one);
  if (large && !wanted.has(large)) large = "";
  for (const one of tiles.children) one.classList.toggle("large", one.dataset.key === eye());
  measure();
}

// A picture that a line has no room for says so where it would be.
function held(tile, why) {
  tile.classList.toggle("held", Boolean(why));
  tile.dataset.why = why ? words.line : "";
}

// The picture that is shown large: the one chosen here, else the one that the chair shows to all.
const eye = () => large || (lead && lead !== me ? lead + ".camera" : "");

function tile(key, { person, what, mine }) {
  const figure = document.createElement("figure"), video = document.createElement("video"), name = document.createElement("figcaption");
  Object.assign(figure.dataset, { key, person, what });
  figure.className = "tile" + (mine && what === "camera" ? " mine" : "") + (what === "screen" ? " screen" : "");
  Object.assign(video, { autoplay: true, playsInline: true, muted: Boolean(mine) });
  const who = mine ? words.me : names[person] || person;
  name.textContent = what === "screen" ? words.screen.replace("{name}", who) : who;
  video.setAttribute("aria-label", name.textContent);
  figure.append(video, name);
  return figure;
}

function fill(figure, one) {
  const video = figure.querySelector("video"), held = video.srcObject?.getTracks() || [];
  if (held.length === one.tracks.length && held.every((track) => one.tracks.includes(track))) return;
  video.srcObject = new MediaStream(one.tracks);
  video.play().catch(() => {});
}

// The size in which each picture is asked for: the large one in full, the rest as small as they are shown.
function measure() {
  const pictures = tracks.filter((one) => one.kind === "video"), plain = pictures.length > 4 ? "q" : pictures.length > 1 ? "h" : "f";
  const wanted = pictures.map((one) => [one.stream, one.what === "screen" || one.person + "." + one.what === eye() ? "f" : eye() ? "q" : plain]);
  if (JSON.stringify(wanted) === sizes) return;
  sizes = JSON.stringify(wanted);
  for (const [stream, layer] of wanted) ask("want", { stream, layer }).catch(() => {});
}

// How loud one's own voice is: whoever is not heard sees at once whether it is the microphone.
function listen(stream) {
  const bar = box.querySelector(".call-level"), voice = stream.getAudioTracks()[0];
  if (!voice || !window.AudioContext) return;
  const context = new AudioContext(), heard = context.createAnalyser(), values = new Uint8Array(heard.fftSize = 512);
  context.createMediaStreamSource(new MediaStream([voice])).connect(heard);
  bar.hidden = false;
  const show = setInterval(() => {
    if (voice.readyState === "ended") { clearInterval(show); bar.hidden = true; context.close(); return; }
    heard.getByteTimeDomainData(values);
    bar.value = voice.enabled ? Math.min(1, Math.max(...values.map((one) => Math.abs(one - 128))) / 64) : 0;
  }, 150);
}

function toggle(kind, on, off) {
  const camera = sent.get("camera")?.stream.getTracks().filter((one) => one.kind === kind) || [];
  for (const track of camera) track.enabled = !track.enabled;
  const button = box.querySelector(`[data-act="${on}"]`), silent = camera.some((one) => !one.enabled);
  button.textContent = silent ? words[off] : words[on];
  button.setAttribute("aria-pressed", String(silent));
}

async function share() {
  if (sent.has("screen")) return unshare();
  const stream = await navigator.mediaDevices?.getDisplayMedia({ video: { frameRate: { max: 8 } } }).catch(() => null);
  if (!stream) return;
  stream.getVideoTracks()[0].onended = unshare;  // the browser's own button
  await send("screen", stream).catch(lost);
  shown();
}

async function unshare() {
  const held = sent.get("screen");
  if (!held) return;
  sent.delete("screen");
  for (const track of held.stream.getTracks()) track.stop();
  held.pc.close();
  shown();
  arrange();
  await ask("stop", { what: "screen" }).catch(() => {});
}

async function leave(over = "") {
  clearInterval(timer);
  joined = false;
  for (const { pc, stream } of sent.values()) { for (const track of stream.getTracks()) track.stop(); pc.close(); }
  received?.close();
  sent.clear();
  received = null; tracks = []; version = "";
  shown();
  arrange();
  say(over);
  if (!over) await ask("leave").catch(() => {});
}

function lost(error) {
  if (["ended", "moved_on", "conflict"].includes(error.code)) return leave(words.over).then(() => setTimeout(() => location.reload(), 1500));
  if (joined) { say(words.lost); version = ""; }
}

function shown() {
  box.querySelector("[data-act=join]").hidden = joined;
  box.querySelector(".call-acts").hidden = !joined;
  box.querySelector(".call-table").hidden = !joined;
  box.querySelector(".call-sharing").hidden = !sent.has("screen");
  box.querySelector(".call-acts [data-act=share]").textContent = sent.has("screen") ? words.unshare : words.share;
  if (!joined) box.querySelector(".call-quality").textContent = "";
}

function say(text) { line.textContent = text; }

// What comes in: kilobits a second, packets lost.
let before = { at: 0, bytes: 0 };
async function quality() {
  if (!received) return;
  let bytes = 0, packets = 0, missing = 0, size = "";
  for (const one of (await received.getStats()).values()) if (one.type === "inbound-rtp") { bytes += one.bytesReceived; packets += one.packetsReceived; missing += one.packetsLost; if (one.kind === "video" && one.frameWidth) size += ` ${one.frameWidth}×${one.frameHeight}`; }
  const now = performance.now(), rate = before.at && bytes >= before.bytes ? Math.round((8 * (bytes - before.bytes)) / (now - before.at)) : 0;
  before = { at: now, bytes };
  drawn(rate);
  box.querySelector(".call-quality").textContent = `${rate} kbit/s · ${packets ? Math.max(0, (100 * missing) / (packets + missing)).toFixed(1) : 0} %${size}`;
}

// The last two minutes of what came in, as a line: a drop is seen without reading numbers.
const rates = [];
function drawn(rate) {
  rates.push(rate);
  if (rates.length > 80) rates.shift();
  const most = Math.max(100, ...rates), points = rates.map((one, at) => `${(at * 200) / 79},${(38 - (36 * one) / most).toFixed(1)}`).join(" ");
  box.querySelector(".call-chart polyline").setAttribute("points", points);
  box.querySelector(".call-chart").hidden = rates.length < 2;
}
