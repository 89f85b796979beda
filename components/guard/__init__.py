"""What protects live sessions: hook names, live counts, decisions, hooks and the gate."""
