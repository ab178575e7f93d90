"""What a program is: nodes, do-notation, operations and the user's effects."""
