"""Decide what the bot does with activeflows, in VoIPBIN's words. Imports the standard library only.

Packages, each of which may import those below it::

    alerting    post what is wrong by itself        bulk        stop many: a frozen list, one first, then two at a time
    search      find, and choose while typing       watching    keep cards that follow one activeflow until it ends
    stopping    stop one: request, authorization, claim, gate, read-back, aftermath
    queries     list, show, Home, audit: read and change nothing
    anomalies   judge what is stuck, looping or left over, against the flow's own past
    situation   say what an activeflow is doing now, and what it did, from its steps

Modules that all of them use: ``model`` (VoIPBIN's objects), ``operators`` (who may do what), ``ports`` (what is needed from
outside), ``errors`` (what can fail or be refused), ``records`` (entries of the audit), ``index`` (what runs now),
``targets`` (which activeflow a person means), ``names`` and ``numbers`` (how two of them are compared), ``callers`` and
``redaction`` (how callers are masked), ``ages`` and ``coverage`` (how old and how complete an answer is), ``health`` and
``diagnosis`` (what the doctor finds), ``alert_rules`` and ``permitted_places`` (what the policy says of alerts and places),
``refusals`` (how many of one person are written down), ``recap`` (what one channel did in some hours).
"""
