"""See and stop VoIPBIN activeflows from a Slack incident channel. This is the map of the code.

::

    demo, __main__                                        start the bot, for real or between simulators
      └ command_line ── terminal                          read what is typed in a shell
          └ composition                                   build every part, run them, take them apart
              ├ slack                                     Slack: deliveries in, messages and cards out
              ├ voipbin                                   VoIPBIN: HTTP API and event stream
              ├ ledger                                    the database: audit, stores, durable workflows
              ├ policy                                    ``policy.toml``, read and kept in force
              ├ settings, logs                            environment in, log lines out
              ├ tracing                                   the life of a stop, for whoever collects traces
              └───── activeflows, misconfigured, network  what the bot decides, one error, ways out of this machine

A package imports those further to the right or below, never one above; ``slack``, ``voipbin``, ``ledger`` and
``policy`` do not import each other. Contracts in ``pyproject.toml`` check that, and that no package imports in a
circle.

- ``activeflows`` lists, shows, judges, stops and watches. It imports the standard library only, and states in ``ports``
  what ``slack``, ``voipbin`` and ``ledger`` have to offer.
- ``slack`` verifies deliveries, decodes interactions, reads what is typed, draws Block Kit, and sends messages.
- ``voipbin`` asks within a request budget, retries reads, sends a stop at most once, and turns JSON into the model.
- ``ledger`` stores on SQLite or PostgreSQL: audit chain, stops, watches, alerts, baselines, and DBOS's workflows.
- ``composition`` is the only package that knows all of these; tests and the demo run the bot through it, too.
- ``demo`` holds a simulated Slack, a simulated VoIPBIN and a page for the browser. Only its ``__main__`` imports the
  bot.

Glossary:

- Slack: an **interaction** is a command, mention, press or modal of a person; a **delivery** is what carries it here,
  and its **acknowledgement** (ack) is due within 3 s. A **listener** handles one kind of interaction.
- Slack: a **message** is what a channel sees, an **ephemeral reply** what one person sees, a **view** a modal or the
  Home tab.
- VoIPBIN: an **activeflow** is one run of a **flow**, which is a list of **actions**; its **reference** is what it runs
  for, mostly a **call**.
- A **workflow** is work of named steps that survives a kill. A **claim** is the exclusive right to stop one activeflow.
- The **gate** is the check straight before a stop is sent. Nothing is sent after the **deadline**.
- A **retry** repeats what failed; a stop is retried only through the gate. A **lease** is a right that lapses with
  time.
- A **snapshot** is a list that no longer changes. To **reconcile** is to make what is shown equal to what is so.
- The **index** is what runs now, in memory. A **baseline** is how long each step of a flow usually takes.
- Of this bot: an **intent** is one stop card, a **press** one use of its button, a **receipt** the start of a record's
  hash.
- Of this bot: an **account** is one of the VoIPBIN customers that it looks after, by its name in the settings; the only
  one has none.
- Of this bot: a **grant** is one entry of the policy, an **operator** a person with what they may do in one channel.
"""
