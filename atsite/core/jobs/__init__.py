"""Jobs that survive the end of their worker: rows that workers claim, lease and resume.

    class Backfill(Job):                     # models: the columns, and the class attributes of a subclass
        graph = Graph(…)                     # graph: the states and the legal moves
        progress_fields = ("progress",)

    runner.run_due(Backfill, run, …)         # runner: claims due jobs and passes each lease to `run`
    def run(lease: JobLease[Backfill]): …    # lease: keep_progress, move, later, release; a lost lease cannot write
    moves.cancel(job, by="anna")             # moves: what people do with a job, even while a worker has it

A job whose rows have copies in ClickHouse inherits from `copied_job.CopiedJob`. Decision 50 has the reasons.
"""
