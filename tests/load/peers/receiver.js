// Bolt for JavaScript as one of the peers: its own HTTP receiver, which acks and then does nothing.
//     node receiver.js PORT TOWN
const { App, HTTPReceiver } = require("@slack/bolt");

const [port, town] = process.argv.slice(2);
const there = JSON.parse(town);
const receiver = new HTTPReceiver({
  signingSecret: there.secret,
  customRoutes: [{ path: "/readyz", method: "GET", handler: (_, response) => response.end("ok") }],
});
const app = new App({
  receiver,
  authorize: async () => ({ botToken: there.token, botId: "B0BOT", botUserId: "U0BOT", teamId: there.team_id }),
  logLevel: "error",
});
app.command("/flows", async ({ ack }) => ack());
app.action(there.refresh, async ({ ack }) => ack());
app.start({ port: Number(port), host: "127.0.0.1" });
