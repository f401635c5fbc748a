"""What is left of an issue's delivery when everything around it breaks: `make bench-crash`.

Processes deliver one issue from one ledger to a mail server that logs every mail it takes (`sink`). At steps of the
SMTP conversation that a seed draws (`plan`), they are killed, stopped past their leases, cut off in the middle of a
reply, have their database taken away or their disk filled (`history`). When all is over, `account` compares the
server's log with the ledger: nobody lost, at most one copy too many for each connection in use at a cut, each such copy
on record as uncertain and under the same Message-ID.
"""
