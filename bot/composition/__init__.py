"""Build the bot from its parts and run it. The only package that builds clients and knows all others.

::

    bootstrap           ``running``: everything, in the order in which it starts and ends
    account             the parts of one VoIPBIN account, of which there can be several
    clients             Slack's and VoIPBIN's clients, and the database
    workflows           the stop machine for lone stops, hang-ups and members of bulk stops, run durably
    services            the watch cards and the alerts
    health              what ``/flows doctor`` looks at, and the same all the time: ``/readyz``, metrics and log
    metrics             what ``/metrics`` tells
    maintenance         what a running bot repeats: the policy file, the audit's heads, baselines, old workflows
    background          tasks beside the work, and how the process is told to end
"""
