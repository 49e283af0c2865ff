// Where people type: a line, Enter sends, "/" and "@" suggest, ArrowUp brings back what was sent; also into a thread.

import { el, icon } from "./dom.js";

/** `desk` gives `commands` and `app`; `send(text, thread)` resolves when the bot has answered. */
export class Composer {
  constructor(form, desk, send) {
    this.desk = desk;
    this.send = send;
    this.history = new Map();
    this.recalled = 0;
    this.popup = el("div", { class: "suggestions", id: "suggestions", role: "listbox", "aria-label": "Commands", hidden: true });
    this.input = el("textarea", {
      rows: "1", id: "line", "aria-label": "Message", "aria-autocomplete": "list", "aria-controls": "suggestions",
      "aria-expanded": "false", role: "combobox", autocomplete: "off", spellcheck: "true",
    });
    this.button = el("button", { type: "submit", class: "send", "aria-label": "Send now", disabled: true }, icon("send"));
    const hint = el("span", { class: "hint" }, el("b", {}, "Return"), " to send, ", el("b", {}, "/"), " for commands");
    this.thread = null;
    this.strip = el("p", { class: "replying", hidden: true });
    form.append(this.popup, this.strip, el("div", { class: "box" }, this.input, el("div", { class: "tools" }, hint, this.button)));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    this.input.addEventListener("input", () => { this.recalled = 0; this.typed(); });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.suggest([]));
  }

  /** Name the place the line goes to, and the person whose history is brought back. */
  at(place, person) {
    this.input.placeholder = `Message ${place}`;
    if (place !== this.place || person !== this.person) this.reply(null);
    this.place = place;
    this.person = person;
    this.recalled = 0;
  }

  /** Write into the thread under this message from now on, or with null to everybody again. */
  reply(thread, about = []) {
    this.thread = thread;
    this.strip.hidden = !thread;
    const leave = el("button", { type: "button", "aria-label": "Leave the thread", onclick: () => { this.reply(null); this.focus(); } }, icon("cross"));
    this.strip.replaceChildren(el("span", {}, "Replying in the thread under ", el("q", {}, about)), leave);
    if (thread) this.focus();
  }

  focus() {
    this.input.focus();
  }

  typed() {
    this.button.disabled = !this.input.value.trim();
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 200)}px`;
    const word = /^[/@]\S*/.exec(this.input.value)?.[0];
    this.suggest(word ? this.desk.commands.filter(({ command }) => command.startsWith(word)) : []);
  }

  suggest(commands) {
    this.options = commands;
    this.chosen = 0;
    this.popup.hidden = commands.length === 0;
    this.input.setAttribute("aria-expanded", String(commands.length > 0));
    this.popup.replaceChildren(...(commands.length ? [el("p", {}, "Commands")] : []), ...commands.map((one, index) => el("div", {
      role: "option", id: `suggestion-${index}`, "aria-selected": String(index === 0),
      onpointerdown: (event) => { event.preventDefault(); this.complete(one); },
    }, el("img", { src: "/page/mark.svg", alt: "", class: "avatar avatar-small" }), el("span", {},
      el("b", {}, one.command), " ", el("span", { class: "usage" }, one.usage_hint), el("small", {}, one.description)),
    el("small", { class: "from" }, this.desk.app.name))));
    this.point();
  }

  point() {
    [...this.popup.querySelectorAll("[role=option]")].forEach((node, index) =>
      node.setAttribute("aria-selected", String(index === this.chosen)));
    if (this.options.length) this.input.setAttribute("aria-activedescendant", `suggestion-${this.chosen}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  complete({ command }) {
    this.write(`${command} `);
  }

  write(text) {
    this.input.value = text;
    this.input.setSelectionRange(text.length, text.length);
    this.typed();
  }

  key(event) {
    if (event.isComposing) return;
    const open = !this.popup.hidden;
    const partial = open && this.input.value !== this.options[this.chosen].command && !/\s/.test(this.input.value);
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (partial) this.complete(this.options[this.chosen]);
      else this.submit();
    } else if (event.key === "Tab" && partial) {
      event.preventDefault();
      this.complete(this.options[this.chosen]);
    } else if (event.key === "Escape") {
      if (open) this.suggest([]);
      else this.reply(null);
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      this.arrow(event, event.key === "ArrowUp" ? 1 : -1, open && partial);
    }
  }

  arrow(event, step, choosing) {
    if (choosing && this.options.length > 1) {
      event.preventDefault();
      this.chosen = (this.chosen - step + this.options.length) % this.options.length;
      this.point();
      return;
    }
    const said = this.history.get(this.person) ?? [];
    if (this.recalled === 0 && (this.input.value || step < 0 || !said.length)) return;
    event.preventDefault();
    const recalled = Math.max(0, Math.min(said.length, this.recalled + step));
    this.write(recalled ? said.at(-recalled) : "");
    this.recalled = recalled;
  }

  submit() {
    const text = this.input.value.trim();
    if (!text) return;
    const said = this.history.get(this.person) ?? [];
    this.history.set(this.person, [...said, text]);
    this.recalled = 0;
    this.write("");
    this.suggest([]);
    this.send(text, this.thread);
  }
}
