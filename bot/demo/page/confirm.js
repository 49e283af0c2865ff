// Slack's own question before a press is sent. https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object

import { el } from "./dom.js";
import { text } from "./elements.js";

/** Ask; resolves to true when the person agrees. */
export function confirmed(question, names) {
  return new Promise((resolve) => {
    const answer = (value) => () => { resolve(value); dialog.close(); };
    const dialog = el("dialog", { class: "modal confirm", "aria-labelledby": "confirm-title" },
      el("header", {}, el("h2", { id: "confirm-title" }, text(question.title, names))),
      el("div", { class: "body" }, el("div", {}, text(question.text, names))),
      el("footer", {},
        el("button", { type: "button", class: "button large", onclick: answer(false) }, text(question.deny, names)),
        el("button", { type: "button", class: `button large ${question.style ?? "primary"}`, onclick: answer(true) },
          text(question.confirm, names))));
    dialog.addEventListener("close", () => { resolve(false); dialog.remove(); });
    document.body.append(dialog);
    dialog.showModal();
  });
}
