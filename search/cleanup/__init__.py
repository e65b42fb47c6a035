"""Clean-up of repos: deleting an account's old records at its owner's request.

`states` has the states of a job, `jobs` the actions of people. The engine that runs the jobs is not built yet; it will
claim them as `atsite.core.jobs` describes.
"""
