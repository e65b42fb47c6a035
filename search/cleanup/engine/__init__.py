"""The engine of clean-ups: reads repos, plans, deletes within the limits of the PDS, and undoes.

`run.work` takes a step of a job: `planning_step`, `undo.plan_undo`, or `writing` until the limits are used up. Before
the first write, and after each unclear answer, `repo_changes` compares the repo with the batches. `final_check` ends
the job. `upkeep` expires plans, sessions and backups. Times come from the clock of the lease, so tests can move it.
"""
