"""Clean-up of repos: deleting an account's old records at its owner's request.

`plan` says which records go and why the others are kept, by the `rules` of the owner (docs/cleanup.md); no job uses it
yet. `states` has the states of a job, `jobs` the actions of people. The engine that runs the jobs is not built yet; it
will claim them as `atsite.core.jobs` describes.
"""
