"""How much of the conventions the scenarios' spans carry, client by client: floors, and reasons for what is missing."""
