"""What approvals say, what is in force, and what the approver sees."""
