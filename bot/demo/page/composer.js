// Where people type: a line, Enter sends, "/" and "@" suggest, ArrowUp brings back what was sent; also into a thread.

import { avatar, el, icon } from "./dom.js";
import { menu } from "./elements.js";

/** `desk` gives `commands`, `mentions`, `globals`, `shortcut(id)` and `app`; `send(text, thread)` resolves when the bot has answered. */
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
    const tools = el("div", { class: "tools" }, desk.globals.length ? this.shortcuts() : null, hint, this.button);
    form.append(this.popup, this.strip, el("div", { class: "box" }, this.input, tools));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    this.input.addEventListener("input", () => { this.recalled = 0; this.typed(); });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.suggest([]));
  }

  /** The app's global shortcuts, as behind Slack's lightning bolt. */
  shortcuts() {
    const open = el("button", { type: "button", class: "bolt", "aria-label": "Shortcuts", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("bolt"));
    const holder = el("span", { class: "menu-holder shortcuts" }, open);
    open.addEventListener("click", () => menu(holder, open, this.desk.globals.map((entry) => ({
      label: entry.name, hint: entry.description, chosen: () => this.desk.shortcut(entry.callback_id),
    }))));
    return holder;
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
    this.suggest(this.fitting());
  }

  /** Commands at the beginning of the line, people and groups wherever an `@` is being typed. */
  fitting() {
    const name = this.naming()?.toLowerCase();
    const people = name ? this.desk.mentions.filter(({ command }) => command.toLowerCase().startsWith(name)) : [];
    const word = /^[/@]\S*/.exec(this.input.value)?.[0];
    const commands = word ? this.desk.commands.filter(({ command }) => command.startsWith(word)) : [];
    const first = this.input.value.toLowerCase() === name && commands.length ? commands : people;
    this.mentioning = first === people && people.length > 0;
    return first.length ? first : commands;
  }

  /** The mention that the cursor stands at the end of, or undefined. */
  naming() {
    return /(?:^|\s)(@[^@]*)$/.exec(this.input.value.slice(0, this.input.selectionStart))?.[1];
  }

  suggest(commands) {
    this.options = commands;
    this.chosen = 0;
    this.popup.hidden = commands.length === 0;
    this.input.setAttribute("aria-expanded", String(commands.length > 0));
    this.popup.replaceChildren(...(commands.length ? [el("p", {}, this.mentioning ? "People" : "Commands")] : []), ...commands.map((one, index) => el("div", {
      role: "option", id: `suggestion-${index}`, "aria-selected": String(index === 0),
      onpointerdown: (event) => { event.preventDefault(); this.complete(one); },
    }, one.person ? avatar(one.person.id, one.person.name, { small: true }) : el("img", { src: "/page/mark.svg", alt: "", class: "avatar avatar-small" }), el("span", {},
      el("b", {}, one.command), " ", el("span", { class: "usage" }, one.usage_hint), el("small", {}, one.description)),
    !one.person && el("small", { class: "from" }, this.desk.app.name))));
    this.point();
  }

  point() {
    [...this.popup.querySelectorAll("[role=option]")].forEach((node, index) =>
      node.setAttribute("aria-selected", String(index === this.chosen)));
    if (this.options.length) this.input.setAttribute("aria-activedescendant", `suggestion-${this.chosen}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  complete({ command }) {
    const at = this.input.selectionStart;
    const begun = command.startsWith("/") ? this.input.value : this.naming() ?? this.input.value;
    const before = this.input.value.slice(0, at - begun.length);
    this.write(`${before}${command} ${this.input.value.slice(at).trimStart()}`, before.length + command.length + 1);
  }

  write(text, at = text.length) {
    this.input.value = text;
    this.input.setSelectionRange(at, at);
    this.typed();
  }

  key(event) {
    if (event.isComposing) return;
    const open = !this.popup.hidden;
    const partial = open && (this.mentioning || (this.input.value !== this.options[this.chosen].command && !/\s/.test(this.input.value)));
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
