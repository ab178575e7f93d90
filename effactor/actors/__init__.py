"""What an actor is: messages, handlers, refs and supervision, as values and pure rules."""
