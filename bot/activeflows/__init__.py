"""Decide what the bot does with activeflows, in VoIPBIN's words. Imports the standard library only.

Packages, each of which may import those below it::

    alerting    post what is wrong by itself        bulk        stop many: a frozen list, one first, then two at a time
    search      find, and choose while typing       watching    keep cards that follow one activeflow until it ends
    stopping    stop one: request, authorization, claim, gate, read-back, aftermath
    queries     list, show, Home, audit: read and change nothing
    anomalies   judge what is stuck, looping or left over, against the flow's own past
    situation   say what an activeflow is doing now, and what it did, from its steps

Modules that all of them use: ``model`` (VoIPBIN's objects, and how durations are written), ``operators`` (who may do
what), ``ports`` (what is needed from outside), ``errors`` (what can fail or be refused), ``records`` (entries of the
audit, and how many of one person are written down), ``index`` (what runs now, and how completely it is known),
``names`` and ``numbers`` (how two of them are compared and how numbers are masked), ``callers`` (calls that somebody
looks for), ``health`` (what the doctor finds), ``alert_rules`` (what the policy says of alerts), ``recap`` (what one
channel did in some hours).
"""
