"""The agent side of a run: the `pi` that scripts call, and the program that runs an agent job.

Both are ordinary children of the runner and call the real pi in the same way: with the job's model,
session and tools, a guard around the tools, the prompt on stdin, and the answer judged by pi's
events instead of its exit code. Standard library only, and nothing from the operator or the runner;
they meet in environment variables (`places`) and a file of notes (`notes`).
"""
