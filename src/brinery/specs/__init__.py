"""What the user declares: settings and references. Read, checked, frozen; nothing is done here."""
