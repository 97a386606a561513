"""Where claims of recipes are carried out on the bundled model when not from its weak checkpoint."""

TAUGHT = {
    "start": "socrates",
    "learn": "family:arithmetic,lists,countdown,logic?level=4,5&n=1000&split=train",
    "test": "family:arithmetic,lists,countdown,logic?level=4,5&n=200&split=test",
}
"""For recipes that need an act which the weak checkpoint lacks: the taught model, on levels that it finds hard."""
TOOLS = {
    "start": "socrates",
    "learn": "family:sums?level=1,2,3,4&n=600&split=train",
    "test": "family:sums?level=1,2,3,4&n=120&split=test",
}
"""For recipes about tools: sums with a calculator at hand, many of them within the model's own reach."""
