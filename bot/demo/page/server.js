// Talking with the workspace: the stream of what this person sees, and the things this person does.

/** Who is here, which commands there are. */
export async function people() {
  return (await fetch("/client/people")).json();
}

/** Do something as a person. Resolves to the sentence Slack would show when it failed, or null. */
export async function act(what, asked) {
  try {
    const answer = await fetch(`/client/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked),
    });
    return (await answer.json()).error;
  } catch {
    return "The workspace does not answer.";
  }
}

/** What a menu offers a person for a typed text: `{error, groups}`. */
export async function suggest(asked) {
  try {
    const answer = await fetch("/client/suggest", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked),
    });
    return { groups: [], ...(await answer.json()) };
  } catch {
    return { error: "The workspace does not answer.", groups: [] };
  }
}

/** What one person sees, in private since the page was loaded at `since`, kept up to date; `changed(difference)` is called after each event. */
export class Screen {
  constructor(user, since, changed) {
    this.user = user;
    this.names = {};
    this.channels = new Map();
    this.messages = new Map();
    this.views = [];
    this.home = null;
    this.source = new EventSource(`/client/stream?user=${encodeURIComponent(user)}&since=${since}`);
    this.source.onmessage = (event) => changed(this.take(JSON.parse(event.data)));
    this.source.onerror = () => changed({ lost: true });
  }

  leave() {
    this.source.close();
  }

  take(event) {
    if (event.reset) {
      this.channels.clear();
      this.messages.clear();
      this.views = [];
      this.home = null;
    }
    this.names = event.names;
    for (const key of event.drop) this.drop(key);
    for (const [key, thing] of Object.entries(event.put)) this.put(key, thing);
    return event;
  }

  put(key, thing) {
    if (key.startsWith("channel/")) this.channels.set(thing.id, thing);
    else if (key.startsWith("message/")) this.messages.set(key, thing);
    else this[key] = thing;
  }

  drop(key) {
    this.channels.delete(key.slice("channel/".length));
    this.messages.delete(key);
  }

  /** The messages of a channel, oldest first. */
  in(channel) {
    const all = [...this.messages.values()].filter((message) => message.channel === channel);
    return all.sort((one, other) => (one.ts < other.ts ? -1 : 1));
  }
}
