// The `markdown` block: standard Markdown, the part of it that bots write.
// https://docs.slack.dev/reference/block-kit/blocks/markdown-block

import { el } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { link } from "./mrkdwn.js";

const INLINE = /`([^`]+)`|\*\*(.+?)\*\*|__(.+?)__|\*(\S.*?)\*|(?<!\w)_(\S.*?)_(?!\w)|~~(.+?)~~|\[([^\]]+)\]\(([^)\s]+)\)/g;

/** Nodes for a Markdown text. */
export function markdown(text) {
  const nodes = [];
  text.split(/```\w*\n([\s\S]*?)\n?```/).forEach((piece, index) => {
    if (index % 2) nodes.push(el("pre", { class: "fence" }, el("code", {}, piece)));
    else nodes.push(...paragraphs(piece));
  });
  return nodes;
}

function paragraphs(text) {
  const nodes = [];
  let list = null;
  for (const line of text.split("\n")) {
    const [, bullet, item] = /^\s*(?:([-*+])|\d+\.)\s+(.*)$/.exec(line) ?? [];
    if (item !== undefined) {
      const kind = bullet ? "UL" : "OL";
      if (list?.tagName !== kind) nodes.push((list = el(kind.toLowerCase(), {})));
      list.append(el("li", {}, inline(item)));
      continue;
    }
    list = null;
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    const quote = /^>\s?(.*)$/.exec(line);
    if (heading) nodes.push(el("p", { class: "heading", role: "heading", "aria-level": "3" }, inline(heading[2])));
    else if (quote) nodes.push(el("blockquote", {}, inline(quote[1])));
    else if (/^(-{3,}|\*{3,})$/.test(line)) nodes.push(el("hr"));
    else if (line.trim()) nodes.push(el("p", {}, inline(line)));
  }
  return nodes;
}

function inline(text) {
  const nodes = [];
  let last = 0;
  for (const found of text.matchAll(INLINE)) {
    nodes.push(withEmoji(text.slice(last, found.index)));
    const [, code, bold, bold2, italic, italic2, strike, label, url] = found;
    if (code !== undefined) nodes.push(el("code", { class: "code" }, code));
    else if (bold ?? bold2) nodes.push(el("b", {}, inline(bold ?? bold2)));
    else if (italic ?? italic2) nodes.push(el("i", {}, inline(italic ?? italic2)));
    else if (strike !== undefined) nodes.push(el("s", {}, inline(strike)));
    else nodes.push(link(url, label));
    last = found.index + found[0].length;
  }
  nodes.push(withEmoji(text.slice(last)));
  return nodes;
}
