"""Control: deciding how hard to think, when to stop, and whether to answer."""
