"""The faces on a terminal: one file a command. Whatever is heavy is imported when a command runs."""
