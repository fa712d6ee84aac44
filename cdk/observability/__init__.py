"""What operators look at: metrics by name, pictures of them, alarms on them, and questions to the logs."""
