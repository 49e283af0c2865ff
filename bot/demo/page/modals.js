// Modals: the stack of views this person has open, the last one on the screen.

import { blocks } from "./blocks.js";
import { avatar, el, icon } from "./dom.js";

/** `desk` gives `person`, `app`, `names()`, `channels()`, `act(what, asked)`, `suggest(asked)`. */
export class Modals {
  constructor(desk) {
    this.desk = desk;
    this.dialog = null;
    this.hash = null;
    this.labels = new Map();
  }

  /** Show the last of these views, or none. */
  show(views) {
    const view = views.at(-1);
    const shown = view && JSON.stringify([view.id, view.hash, view.errors]);
    if (shown === this.shown) return;
    this.shown = shown;
    const kept = this.dialog?.dataset.view === view?.id ? this.values() : new Map();
    if (!view) {
      this.dialog?.remove();
      this.dialog = null;
      return;
    }
    this.draw(view, kept, views.length > 1);
  }

  draw(view, kept, stacked) {
    const { content, errors } = view;
    const names = this.desk.names();
    this.fields = new Map();
    const press = (spec, block, option) => this.desk.act("click", {
      user: this.desk.person.id, view: view.id, action_id: spec.action_id, block_id: block.block_id, option,
    });
    const menu = (spec, block) => ({ user: this.desk.person.id, view: view.id, action_id: spec.action_id, block_id: block.block_id });
    const suggest = (spec, block, typed) => this.desk.suggest({ ...menu(spec, block), typed, values: this.filled(block.block_id) });
    const choose = (spec, block, option) => this.desk.act("choose", { ...menu(spec, block), option });
    const { channels } = this.desk;
    const body = blocks(content.blocks, {
      names, press, suggest, choose, channels, place: view.place, fields: this.fields, labels: this.labels, errors,
    });
    const form = el("form", { class: "sheet", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.submit(view); } },
      el("header", {}, avatar("app", this.desk.app.name, { app: true, small: true }),
        el("h2", { id: "modal-title" }, content.title.text),
        el("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => this.close(view, true) }, icon("cross"))),
      el("div", { class: "body" }, body),
      el("footer", {}, el("p", { class: "banner", role: "alert", hidden: true }),
        content.close || content.submit ? el("button", { type: "button", class: "button large", onclick: () => this.close(view, false) },
          content.close?.text ?? (stacked ? "Back" : "Cancel")) : null,
        content.submit && el("button", { type: "submit", class: "button large primary" }, content.submit.text)));
    const fresh = !this.dialog;
    this.dialog ??= el("dialog", { class: "modal", "aria-labelledby": "modal-title" });
    this.dialog.dataset.view = view.id;
    this.dialog.replaceChildren(form);
    this.dialog.oncancel = (event) => { event.preventDefault(); this.close(view, false); };
    if (fresh) { this.labels.clear(); document.body.append(this.dialog); this.dialog.showModal(); }
    this.fill(kept);
    (form.querySelector("[aria-invalid], [autofocus], .body input, .body textarea") ?? form.querySelector("footer .button"))?.focus();
  }

  values() {
    return new Map([...(this.fields ?? [])].map(([key, read]) => [key, read()]));
  }

  fill(kept) {
    for (const [key, value] of kept) {
      const [block, action] = [key.slice(0, key.indexOf("/")), key.slice(key.indexOf("/") + 1)];
      const input = [...this.dialog.querySelectorAll("[data-action]")].find((one) => one.dataset.action === action && one.dataset.block === block);
      if (input?.restore) input.restore(value);
      else if (input && "value" in input && typeof value === "string") input.value = value;
    }
  }

  /** What is filled in by block and action, but for one block. */
  filled(but = null) {
    const values = {};
    for (const [key, value] of this.values()) {
      const cut = key.indexOf("/");
      const block = key.slice(0, cut);
      if (value !== null && block !== but) (values[block] ??= {})[key.slice(cut + 1)] = value;
    }
    return values;
  }

  async submit(view) {
    const values = this.filled();
    const button = this.dialog.querySelector("[type=submit]");
    button.setAttribute("aria-busy", "true");
    const error = await this.desk.act("submit", { user: this.desk.person.id, view: view.id, values });
    button.removeAttribute("aria-busy");
    const banner = this.dialog?.querySelector(".banner");
    if (!banner) return;
    banner.hidden = !error || error.startsWith("Please complete");
    banner.textContent = error ? `${error}` : "";
  }

  close(view, everything) {
    this.desk.act("close", { user: this.desk.person.id, view: view.id, everything });
  }
}
