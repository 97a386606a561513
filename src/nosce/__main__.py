"""`python -m nosce`: the command line."""

from nosce.cli.app import main

if __name__ == "__main__":
    main()
