// The side panel: what the simulated VoIPBIN does right now, and switches to make it misbehave.
// `GET /demo/panel` → {activeflows: [{id, name, status, action, since?, reference?}], switches: [{id, label, on, hint?}]},
// `POST /demo/panel/switch` {id, on}. Where the route is missing there is no panel.

import { ago } from "./dates.js";
import { el } from "./dom.js";

export class Panel {
  constructor(aside) {
    this.aside = aside;
    this.there = false;
    this.open = false;
    this.asking = null;
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

  draw({ title = "VoIPBIN, right now", activeflows = [], switches = [] }) {
    const print = JSON.stringify([title, activeflows, switches]);
    if (print === this.print) return;
    this.print = print;
    const focused = document.activeElement?.id;
    const running = activeflows.filter((one) => one.status !== "ended").length;
    this.aside.replaceChildren(
      el("header", {}, el("h2", {}, title), el("span", { class: "tag" }, `${running} running`)),
      el("section", { class: "switches", "aria-label": "Make VoIPBIN misbehave" },
        el("h3", {}, "Make it misbehave"), switches.map((one) => this.switch(one))),
      el("ul", { class: "flows" }, activeflows.map(flow)),
    );
    this.ages();
    if (focused) document.getElementById(focused)?.focus();
  }

  switch({ id, label, on, hint }) {
    const node = el("button", {
      type: "button", role: "switch", id: `switch-${id}`, class: "switch", "aria-checked": String(on),
      onclick: async () => {
        node.setAttribute("aria-checked", String(!on));
        await fetch("/demo/panel/switch", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ id, on: !on }),
        });
        await this.refresh();
      },
    }, el("span", { class: "knob" }), el("span", {}, label, hint && el("small", {}, hint)));
    return node;
  }

  ages() {
    for (const time of this.aside.querySelectorAll("time[datetime]")) time.textContent = ago(new Date(time.dateTime));
  }
}

function flow({ id, name, status, action, since, reference }) {
  return el("li", { class: `flow ${status}` },
    el("div", {}, el("b", {}, name), el("code", {}, id.slice(0, 8))),
    el("div", {}, el("span", { class: `status ${status}` }, status), el("span", { class: "action" }, action ?? "")),
    el("div", { class: "small" }, reference && el("span", {}, reference), since && el("time", { datetime: since })));
}
