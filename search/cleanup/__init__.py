"""Clean-up of repos: deleting an account's own old records, on its owner's word.

`states` says what may become of a job, `jobs` changes one under lock; the model is `search.models.RepoCleanupJob`.
"""
