"""The job's answer to its author: conditions, story, Events, status."""
