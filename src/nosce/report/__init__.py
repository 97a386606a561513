"""What a run says to people: charts, trace trees, tables for the terminal, and one HTML file that opens offline."""
