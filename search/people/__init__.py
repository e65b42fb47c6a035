"""Search of people: by the beginnings of handles and of the words of display names."""
