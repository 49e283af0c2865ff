// Modals: the stack of views this person has open, the last one on the screen.

import { blocks } from "./blocks.js";
import { avatar, el, icon } from "./dom.js";

/** `desk` gives `person`, `app`, `names()`, `act(what, asked)`. */
export class Modals {
  constructor(desk) {
    this.desk = desk;
    this.dialog = null;
    this.hash = null;
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
    const body = blocks(content.blocks, { names, press, fields: this.fields, errors });
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
    if (fresh) { document.body.append(this.dialog); this.dialog.showModal(); }
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
      if (input && "value" in input && typeof value === "string") input.value = value;
    }
  }

  async submit(view) {
    const values = {};
    for (const [key, value] of this.values()) {
      const cut = key.indexOf("/");
      if (value !== null) (values[key.slice(0, cut)] ??= {})[key.slice(cut + 1)] = value;
    }
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
