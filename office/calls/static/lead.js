// How a call is led: everybody raises a hand, answers the roll call and votes; the chair and deputies give the floor and say what all read.
const box = document.getElementById("call");
const me = box?.dataset.me, chair = box?.dataset.chair, words = JSON.parse(box?.dataset.words || "{}");
let control = {}, members = [], send = null, shown = "";

// Called with each state of the room; ``ask`` speaks with the relay.
export function led(state, ask) {
  control = state.control;
  members = state.members;
  send = ask;
  const text = JSON.stringify([control, members]);
  if (text === shown) return;
  shown = text;
  const mine = members.find((one) => one.person === me) || {};
  part(".call-banner", control.banner, (one) => { one.textContent = control.banner; });
  press("hand", true, mine.hand ? words.handdown : words.handup, mine.hand);
  press("here", control.roll > 0 && mine.here !== control.roll, words.hereyes);
  part(".call-vote", control.question && mine.poll !== control.poll, (one) => { one.querySelector("b").textContent = control.question; });
  box.querySelector(".call-silent").hidden = !silent();
  box.querySelector(".call-lead").hidden = !leads(me);
  press("quiet", true, control.quiet ? words.unquiet : words.quiet, control.quiet);
  press("record", me === chair, control.record ? words.unrecord : words.record, control.record);
  part(".call-recording", control.record, () => {});
  press("nest", "nests" in box.dataset, control.nested ? words.unnest : words.nest, control.nested);
  box.querySelector(".call-result").textContent = [rolled(), voted()].filter(Boolean).join("　");
  people();
}

export const main = () => control.main || "";
const leads = (person) => person === chair || (control.deputies || []).includes(person);
const silent = () => control.quiet && !leads(me) && !(control.floor || []).includes(me);
const fill = (text, holes) => Object.entries(holes).reduce((told, [name, value]) => told.replace("{" + name + "}", value), text);

export const acts = {
  hand: () => send("show", { hand: members.find((one) => one.person === me)?.hand ? "down" : "up" }),
  here: () => send("show", { here: "1" }),
  yes: () => send("show", { vote: "yes" }),
  no: () => send("show", { vote: "no" }),
  abstain: () => send("show", { vote: "abstain" }),
  quiet: () => lead({ quiet: !control.quiet, floor: [] }),
  roll: () => lead({ roll: true }),
  record: () => lead({ record: !control.record }),
  nest: () => send("nest", { on: control.nested ? "" : "1" }),
  banner: () => lead({ banner: box.querySelector("#banner").value.trim() }),
  question: () => lead({ question: box.querySelector("#question").value.trim() }),
  floor: (person) => lead({ floor: toggled(control.floor, person) }),
  main: (person) => lead({ main: control.main === person ? "" : person }),
  deputy: (person) => lead({ deputies: toggled(control.deputies, person) }),
};

const lead = (wish) => send("lead", { wish: JSON.stringify(wish) });
const toggled = (list, person) => (list.includes(person) ? list.filter((one) => one !== person) : [...list, person]);

function rolled() {
  if (!control.roll) return "";
  const away = members.filter((one) => one.here !== control.roll);
  return fill(words.rolled, { n: members.length - away.length, all: members.length }) + (away.length && away.length <= 10 ? fill(words.away, { names: away.map((one) => one.name).join("、") }) : "");
}

function voted() {
  if (!control.poll) return "";
  const count = (vote) => members.filter((one) => one.poll === control.poll && one.vote === vote).length;
  return fill(words.voted, { question: control.question, yes: count("yes"), no: count("no"), abstain: count("abstain") });
}

function part(selector, wanted, show) {
  const one = box.querySelector(selector);
  one.hidden = !wanted;
  if (wanted) show(one);
}

function press(act, wanted, text, on = false) {
  const button = box.querySelector(`[data-act=${act}]`);
  button.hidden = !wanted;
  button.textContent = text;
  button.setAttribute("aria-pressed", String(Boolean(on)));
}

// Everybody in the room: raised hands first, and what a chair may do with each.
function people() {
  const list = box.querySelector(".call-people");
  list.replaceChildren(...[...members].sort((a, b) => Number(b.hand) - Number(a.hand)).map((one) => {
    const line = document.createElement("li");
    line.append(one.name);
    for (const [wanted, text] of [[one.hand, words.raised], [one.person === chair, words.chair], [(control.deputies || []).includes(one.person), words.deputy], [control.quiet && (control.floor || []).includes(one.person), words.speaks], [control.roll && one.here === control.roll, words.present]]) if (wanted) line.append(" ", tag(text));
    if (leads(me)) {
      if (control.quiet && !leads(one.person)) line.append(" ", button("floor", one.person, (control.floor || []).includes(one.person) ? words.unfloor : words.floor));
      line.append(" ", button("main", one.person, control.main === one.person ? words.unmain : words.tomain));
      if (one.person !== chair && me === chair) line.append(" ", button("deputy", one.person, (control.deputies || []).includes(one.person) ? words.undeputy : words.todeputy));
    }
    return line;
  }));
}

function tag(text) {
  const one = document.createElement("span");
  one.className = "badge";
  one.textContent = text;
  return one;
}

function button(act, person, text) {
  const one = document.createElement("button");
  Object.assign(one, { type: "button", className: "button small", textContent: text });
  Object.assign(one.dataset, { act, person });
  return one;
}
