"""What people ask for, as writes: pure, for the command line and for any other screen.

Each action takes what was read and what a person confirmed, and returns a `Write` for exactly that,
or a `Refusal`. Nothing here reads a clock or the cluster. A screen reads, calls an action, carries
the write out, and puts the result into its own words.

- `refusal`: why something is not written, and what to do.
- `decisions`: a content is approved, denied, or a decision about it withdrawn.
- `packages`: the same for packages.
- `runs`: a run is started by hand or by an event, or cancelled.
- `jobs`: a job is paused, resumed or deleted; or it is not there.
- `answers`: what follows from an answer of the API server that is not the wanted one.
"""
