"""SELECT-project-join-group blocks: found in statements, and put into a normal form that can be matched."""
