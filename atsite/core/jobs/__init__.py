"""Jobs that survive the death of their worker: rows that are claimed, leased, kept up and resumed.

    class Backfill(Job):                     # models: the columns, and what a subclass says about itself
        graph = Graph(…)                     # graph: the states and the legal moves
        progress_fields = ("progress",)

    runner.run_due(Backfill, run, …)         # runner: claims what is due and hands each lease to `run`
    def run(lease: JobLease[Backfill]): …    # lease: keep_progress, move, later, release; a lost lease cannot write
    moves.cancel(job, by="anna")             # moves: what people do with a job, whichever worker has it

A job whose rows have copies in ClickHouse inherits from `copied_job.CopiedJob`. Decision 50 says why it is so.
"""
