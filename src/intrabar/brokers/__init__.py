"""Orders at a broker: names, tickets, plan, cover, reconciliation. Nothing is sent here."""
