// rich_text blocks. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block

import { dateToken } from "./dates.js";
import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { link, mention } from "./mrkdwn.js";

const PARTS = {
  rich_text_section: (part, names) => el("div", {}, pieces(part, names)),
  rich_text_preformatted: (part, names) => el("pre", { class: "fence" }, el("code", {}, pieces(part, names))),
  rich_text_quote: (part, names) => el("blockquote", {}, pieces(part, names)),
  rich_text_list: (part, names) => {
    const list = el(part.style === "ordered" ? "ol" : "ul", { start: part.offset ? part.offset + 1 : null });
    list.style.marginLeft = `${(part.indent ?? 0) * 24}px`;
    list.append(...part.elements.map((item) => el("li", {}, pieces(item, names))));
    return list;
  },
};

const PIECES = {
  text: (piece) => piece.text,
  link: (piece) => link(piece.url, piece.text ?? piece.url),
  emoji: (piece) => emoji(piece.name) ?? `:${piece.name}:`,
  user: (piece, names) => mention(`@${names[piece.user_id] ?? piece.user_id}`),
  channel: (piece, names) => mention(`#${names[piece.channel_id] ?? piece.channel_id}`),
  usergroup: (piece, names) => mention(`@${names[piece.usergroup_id] ?? piece.usergroup_id}`, "loud"),
  broadcast: (piece) => mention(`@${piece.range}`, "loud"),
  date: (piece) => el("time", { title: piece.fallback }, dateToken(piece.timestamp, piece.format)),
};
const STYLES = { bold: "b", italic: "i", strike: "s", underline: "u" };

/** The element for a rich_text block. */
export function richText(block, names) {
  return el("div", { class: "rich" }, block.elements.map((part) => PARTS[part.type]?.(part, names)));
}

function pieces(part, names) {
  return part.elements.map((piece) => styled(PIECES[piece.type]?.(piece, names) ?? "", piece.style ?? {}));
}

function styled(node, style) {
  if (style.code) return el("code", { class: "code" }, node);
  return Object.keys(STYLES).reduce((inner, key) => (style[key] ? el(STYLES[key], {}, inner) : inner), node);
}
