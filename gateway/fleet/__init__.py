"""The cars: who they are, what each has sent, and what the rules remember of it."""
