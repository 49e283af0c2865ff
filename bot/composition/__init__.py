"""Build the bot from its parts and run it. The only package that builds clients and knows all others.

::

    bootstrap           ``running``: everything, in the order in which it starts and ends
    account             the parts of one VoIPBIN account, of which there can be several
    clients             Slack's and VoIPBIN's clients, and the database
    stop_workflows      the stop machine for lone stops, hang-ups and members of bulk stops
    workflows           the same durably: recorded, taken over from what died, told when stuck
    watch_service       the watch cards          alert_service   the alerts        baseline   how long steps usually take
    health_checks       what ``/flows doctor`` and ``flows-bot check`` look at
    health_watch        the same all the time, for machines: ``/readyz``, metrics and log
    audit_witness       whether the ledger still has every head that the audit channel has
    metrics             what ``/metrics`` tells
    maintenance         what a running bot repeats: the policy file, the audit's head, old workflows
    dialling            how phone numbers are written in a region
    file_permissions    which files of the bot others can read
    background, signals tasks beside the work, and how the process is told to end
"""
