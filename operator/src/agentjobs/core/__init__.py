"""The product's decisions, as pure functions of what was observed and of the time.

Nothing here reads a clock, the network, the environment or a random source, logs, or imports Kopf
or a Kubernetes client. What changes over time is an argument. A rule that needs I/O to be checked
does not belong here.

The map, from the ground up. Each part imports only from those above it
(`tests/architecture/rules.py` has the same list):

- `errors`, `timestamps`: what can go wrong, by who can fix it; times as Kubernetes writes them.
- `wire`: JSON from outside, measured and bounded before it is parsed.
- `admission`: whether the admission policies are in force.
- `runner`: what the containers of a run say at their end.
- `content`: what is approved (texts, packages, the digest) and how people see a change of it.
- `views`: objects as the API server sends them, reduced to what decisions need.
- `naming`: the name of every object that this project makes.
- `plan`, `observed`: what a decision returns, and what it is made from. Values only.
- `refusals`: what the cluster refuses again and again.
- `triggers`: runs that are started by events and by other runs.
- `workload`: what the operator writes for Kubernetes to run.
- `schedules`: when jobs start, how that is put into words, and what became of each start.
- `approval`: what approvals say, what is in force, what an approver sees.
- `runs`: the life of a run, from the request for it to its record and its end.
- `status`: the job's answer to its author: conditions, story, Events.
- `doubts`: what has to be looked at again before anything is decided, and why.
- `gone`, `decide`: what a deleted job left behind, and the decision about one job. Read `decide`
  first.
"""
