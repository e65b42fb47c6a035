"""Clean-up of repos: deleting an account's old records at its owner's request.

`planning` says which records go and why the others are kept, by the rules of the owner (docs/cleanup.md). `engine`
plans, deletes and undoes, as a job of `atsite.core.jobs`. `access` is about who may act: sign-ins, sessions, tokens,
the audit. `owner_actions` has what owners do, which `web` offers as an API and as a page; `jobs` what operators do.
"""
