"""`python -m tinyjpg_server`: the command `tinyjpg-server`."""

from tinyjpg_server.cli import main

if __name__ == "__main__":
    main()
