"""A newsletter to look at: invented papers and posts, served on this machine, and a plan and readers for them.

    with serve(now) as base_url:           three feeds on 127.0.0.1, as fresh as `now`
        plan_text(base_url)                the schedules.yaml that reads them

Nothing in `data/` is real: the papers do not exist, their ids are higher than arXiv ever gave, and the authors are
called Example, Sample and Specimen.
"""
