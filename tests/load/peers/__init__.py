"""The ack of this bot beside that of its peers, each at its best. `__main__` measures, `deliveries` makes what is sent.

The peers, each a process of its own, which acks and then does nothing:

- "floor" (`servers`): a bare ASGI handler on httptools that verifies the signature and parses. Nobody can ack sooner.
- "stock", "tuned" (`servers`): Bolt for Python, as its documentation has it; and with every setting turned that helps.
- "js" (`receiver.js`): the HTTP receiver of Bolt for JavaScript, from npm.
- "bot" (`servers`): the whole bot, with all its listeners; only what follows the ack does nothing.
"""
