"""Listen: each listener acks, decodes the interaction, and starts a job; the answer is the job's business.

No listener decides anything. Whatever goes wrong inside a job becomes words in ``jobs``, so that no press stays
without a visible answer; what nobody listens to is answered in ``unknown``.
"""
