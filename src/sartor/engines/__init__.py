"""What executes SQL. Everything a component does to a database goes through `engines/base.py`."""
