"""What Kopf calls. Handlers record what they saw and enqueue the job's key; they decide nothing and cannot fail for a user's reason."""
