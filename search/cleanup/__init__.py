"""Clean-up of repos: deleting an account's own old records, on its owner's word.

`states` says what may become of a job, `jobs` what people do with one; the engine that runs them is not built yet, and
will claim them as `atsite.core.jobs` describes.
"""
