"""When issues are due.

    schedules.yaml --plan.load--> Plan(Schedule*) --slots.due(now)--> Slot

`plan` reads the file and reports every mistake in it at once; `slots` is pure arithmetic on what it says.
"""
