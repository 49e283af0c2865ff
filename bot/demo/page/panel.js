// The side panel: what the simulated VoIPBIN received and what became of it, a telephone, scenarios, and troubles.
// `GET /demo/panel` → {activeflows, running, switches, requests, stops, scenarios, playing, curl, guide}, and
// `POST /demo/panel/switch` {id, on}, `/scenario` {name}, `/call` {number, text}. Where the route is missing there is no panel.

import { ago } from "./dates.js";
import { el } from "./dom.js";

export class Panel {
  constructor(aside) {
    this.aside = aside;
    this.there = false;
    this.open = false;
    this.asking = null;
    this.prints = new Map();
    this.parts = {};
  }

  /** Look once whether there is a panel. */
  async start() {
    this.there = await this.refresh();
    this.toggle(this.there && innerWidth >= 1100);
    if (this.there) setInterval(() => this.ages(), 1000);
  }

  toggle(open = !this.open) {
    this.open = open && this.there;
    this.aside.hidden = !this.open;
    document.body.classList.toggle("with-panel", this.open);
  }

  /** Something changed: read anew, at most a few times a second. */
  changed() {
    if (!this.there || this.asking) return;
    this.asking = setTimeout(async () => {
      await this.refresh();
      this.asking = null;
    }, 250);
  }

  async refresh() {
    try {
      const answer = await fetch("/demo/panel");
      if (!answer.ok) return false;
      this.draw(await answer.json());
      return true;
    } catch {
      return false;
    }
  }

  async post(what, asked) {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`/demo/panel/${what}`, { method: "POST", headers, body: JSON.stringify(asked) });
    await this.refresh();
    return answer;
  }

  draw({ title = "VoIPBIN, right now", activeflows = [], running, switches = [], requests = [], stops = 0, scenarios = [], playing = null, curl = "", guide = null }) {
    if (JSON.stringify(guide) !== JSON.stringify(this.guide)) {
      this.guide = guide;
      this.guided?.();
    }
    if (!this.parts.head) this.build(title);
    const count = running ?? activeflows.filter((one) => one.status !== "ended").length;
    this.part("count", [count], () => `${count} running`);
    this.part("scenarios", [scenarios, playing], () => this.scenarios(scenarios, playing));
    this.part("requests", [requests, stops], () => this.requests(requests, stops));
    this.part("call", [curl], () => this.telephone(curl));
    this.part("switches", [switches], () => [el("h3", {}, "Make VoIPBIN misbehave"), switches.map((one) => this.switch(one))]);
    this.part("flows", [activeflows], () => activeflows.map(flow));
    this.ages();
  }

  build(title) {
    const section = (name, label) => (this.parts[name] = el("section", { class: name, "aria-label": label }));
    this.parts.count = el("span", { class: "tag" });
    this.parts.head = el("header", {}, el("h2", {}, title), this.parts.count);
    this.parts.flows = el("ul", { class: "flows", "aria-label": "Activeflows" });
    this.aside.replaceChildren(this.parts.head, section("requests", "What VoIPBIN received"), section("scenarios", "Scenarios"),
      section("call", "Place a call"), section("switches", "Make VoIPBIN misbehave"), this.parts.flows);
  }

  /** Draw one part anew when what it shows is another thing than before; whoever types in another part is left alone. */
  part(name, shown, draw) {
    const print = JSON.stringify(shown);
    if (this.prints.get(name) === print) return;
    this.prints.set(name, print);
    const focused = this.parts[name].contains(document.activeElement) ? document.activeElement.id : null;
    const open = [...this.parts[name].querySelectorAll("details[open]")].map((one) => one.id);
    this.parts[name].replaceChildren(...[draw()].flat(Infinity));
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus();
  }

  scenarios(scenarios, playing) {
    if (!scenarios.length) return [];
    const busy = Boolean(playing && !playing.over);
    return [
      el("details", { id: "scenario-list" }, el("summary", {}, el("h3", {}, `Play a bad night (${scenarios.length})`)),
        scenarios.map((one) => el("button", {
          type: "button", class: "scenario", id: `scenario-${one.name}`, disabled: busy,
          onclick: () => this.post("scenario", { name: one.name }),
        }, el("b", {}, one.name), el("small", {}, one.line)))),
      playing && el("div", { class: "playing", role: "status" },
        el("h3", {}, busy ? `Playing ${playing.name} in #incidents…` : `Played: ${playing.name}`),
        el("ol", {}, playing.told.map((told) => el("li", {}, told))),
        el("ul", { class: "truths" }, playing.must.map(({ told, held }) =>
          el("li", { class: held === true ? "held" : held === false ? "failed" : "open" },
            el("span", { class: "verdict" }, held === true ? "True" : held === false ? "Not true" : busy ? "…" : "Not looked at"), " ", told)))),
    ].filter(Boolean);
  }

  requests(requests, stops) {
    const label = stops === 0 ? "No stop was sent." : stops === 1 ? "1 stop was sent." : `${stops} stops were sent.`;
    return [
      el("h3", {}, "What VoIPBIN received"),
      el("p", { class: "stops" }, label),
      el("ol", { tabindex: "0", "aria-label": "Requests, newest first" }, requests.map((one) => el("li", { class: one.method === "GET" ? "read" : "write" },
        el("span", { class: "method" }, one.method), el("span", { class: "path", title: one.path }, short(one.path)),
        el("span", { class: `answer${one.status && one.status < 400 ? "" : " bad"}` }, one.status ?? "no answer"),
        (one.became || one.by) && el("small", {}, [one.by, one.became].filter(Boolean).join(" · "))))),
    ];
  }

  telephone(curl) {
    const number = el("input", { id: "call-number", name: "number", value: "+15550100077", autocomplete: "off" });
    const text = el("input", { id: "call-text", name: "text", value: "Hello. This is a test call.", autocomplete: "off" });
    const said = el("p", { class: "small", role: "status" });
    const form = el("form", { id: "call-form" }, el("label", {}, "Number", number), el("label", {}, "It says", text),
      el("button", { type: "submit", class: "call-button" }, "Place the call"), said,
      curl && el("details", { id: "curl" }, el("summary", {}, "Or with curl, as in VoIPBIN’s tutorial"), el("pre", { tabindex: "0" }, curl)));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      said.textContent = "Dialling…";
      const answer = await this.post("call", { number: number.value, text: text.value });
      const told = await answer.json().catch(() => ({}));
      said.textContent = answer.ok
        ? `It rings; answered in 6 s. Activeflow ${told.calls[0].activeflow_id.slice(0, 8)}.`
        : `VoIPBIN refused it: ${told.error?.reason ?? answer.status}.`;
    });
    return [el("details", { id: "place-call" }, el("summary", {}, el("h3", {}, "Place a call…")), form)];
  }

  switch({ id, label, on, hint }) {
    const node = el("button", {
      type: "button", role: "switch", id: `switch-${id}`, class: "switch", "aria-checked": String(on),
      onclick: () => {
        node.setAttribute("aria-checked", String(!on));
        return this.post("switch", { id, on: !on });
      },
    }, el("span", { class: "knob" }), el("span", {}, label, hint && el("small", {}, hint)));
    return node;
  }

  ages() {
    for (const time of this.aside.querySelectorAll("time[datetime]")) time.textContent = ago(new Date(time.dateTime));
  }
}

const short = (path) => path.replace(/([0-9a-f]{8})-[0-9a-f-]{27}/g, "$1…");

function flow({ id, name, status, action, since, reference }) {
  return el("li", { class: `flow ${status}` },
    el("div", {}, el("b", {}, name), el("code", {}, id.slice(0, 8))),
    el("div", {}, el("span", { class: `status ${status}` }, status), el("span", { class: "action" }, action ?? "")),
    el("div", { class: "small" }, reference && el("span", {}, reference), since && el("time", { datetime: since })));
}
